// Package config turns a YAML file, the environment and flags into one
// [Config], or into the list of everything that is wrong with them.
//
// [Load] reads all three layers before it judges any of them: a caller gets
// either a [Loaded] configuration or an [*Invalid] error that holds every
// fault at once, each with its file, line, column, key and, where a typing
// error is likely, what was probably meant. Unknown keys, keys given twice,
// values of the wrong kind and values that contradict each other are faults;
// nothing is corrected silently. Flags win over the environment, the
// environment over the file, the file over the defaults.
//
//	loaded, err := config.Load(config.Sources{File: path, Env: os.Environ()})
//	if bad, ok := errors.AsType[*config.Invalid](err); ok {
//		for _, fault := range bad.Faults { fmt.Println(fault) }
//	}
//
// One table (keys.go) names every key with its meaning. The walk over the
// YAML tree, the shipped file ([DefaultFile]), the JSON Schema ([Schema]), the
// reference ([Reference]) and the comparison of two configurations ([Diff])
// are all driven by that table and by the structs themselves, and a test
// proves that they agree.
//
// Anchors are of no use here and aliases are refused, so that a small file
// cannot stand for a large one; a file is at most [MaxFile] bytes.
//
// A [Watcher] says when the file's content has changed. It watches the folder
// and not the file, because a watch on a file ends with the first rename over
// it. Whether a changed file is put in force is its caller's decision.
package config
