package config

import "strings"

// A key is what is known of one key beyond its Go type and its default. A name
// without a field of its own in [Config] is a section; one that ends in [] is
// an element of a list or a value of a map.
type key struct {
	name    string   // dotted
	doc     string   // one or two sentences, for people
	enum    []string // the values allowed; nil: any
	least   int      // lowest number allowed
	most    int      // highest number allowed; 0: not a number
	rule    rule     // further check of the value; nil: none
	restart bool     // a new value waits for a restart
}

// A table is every key, in the order of [Config].
type table []key

// find returns the key with this name; list indexes and map keys in it do not
// matter. Names that are not in the table give a key with nothing but a name.
func (t table) find(path string) key {
	name := generic(path)
	for _, k := range t {
		if k.name == name {
			return k
		}
	}
	return key{name: name}
}

// generic turns logs.roots[2].path into logs.roots[].path.
func generic(path string) string {
	var b strings.Builder
	for {
		head, tail, found := strings.Cut(path, "[")
		b.WriteString(head)
		if !found {
			return b.String()
		}
		_, tail, _ = strings.Cut(tail, "]")
		b.WriteString("[]")
		path = tail
	}
}

// keys returns the table. Checks judges what other packages parse.
func keys(c Checks) table {
	schedule, pattern := foreign(c.Schedule), foreign(c.Pattern)
	return table{
		{name: "host", doc: "Who this host is."},
		{name: "host.id", rule: isName, doc: "Name of this host in the central store. Empty: the EC2 instance's ID, else the hostname."},
		{name: "host.cluster", rule: isName, doc: "Cluster this host belongs to. Empty: ECS_CLUSTER of the ECS agent."},

		{name: "docker", doc: "The Docker Engine."},
		{name: "docker.socket", rule: isSocket, restart: true, doc: "Path of the Engine's unix socket."},
		{name: "docker.data_root", rule: optional(isPath), doc: "Data root the Engine is expected to have; with another one nothing is deleted. Empty: the one first seen."},
		{name: "docker.settle", doc: "After a start of the Engine nothing is deleted for this long."},
		{name: "docker.service_label", rule: isWord, doc: "Container label that names the service of a container outside ECS. Empty: none."},

		{name: "ecs", doc: "The ECS agent of this host, which knows its tasks. A host without one is asked once a minute."},
		{name: "ecs.introspection", rule: isLocalURL, doc: "Where it lists tasks: an http URL on loopback."},
		{name: "ecs.metadata", rule: isLocalURL, doc: "Where it tells the metadata of a task: an http URL on loopback."},

		{name: "api", doc: "The unix socket that the other berth commands talk to."},
		{name: "api.socket", rule: isSocket, restart: true, doc: "Path of the socket."},
		{name: "api.group", rule: isGroup, restart: true, doc: "Group that may connect and look. Empty: the daemon's own."},
		{name: "api.operator_group", rule: isGroup, doc: "Group that may also act (sweep, reload, undo). Empty: root and the daemon's user alone."},

		{name: "state_dir", rule: isPath, restart: true, doc: "Folder for what must survive a restart."},

		{name: "logs", doc: "Log folders of containers that no longer exist."},
		{name: "logs.roots", doc: "Folders in which each container has a log folder, and how it is found below them. An empty list: no sweep."},
		{name: "logs.roots[]", rule: isLogRoot},
		{name: "logs.roots[].path", rule: isRoot, doc: "Absolute path; not / and not inside another root."},
		{name: "logs.roots[].pattern", rule: pattern, doc: "Where a container's folder is below path: {service} and {id} stand for a folder's name, * for any."},
		{name: "logs.schedule", rule: schedule, doc: "When the sweep runs: a cron expression, in UTC."},
		{name: "logs.splay", doc: "Most that this host runs after the scheduled moment; how much is drawn from its ID, so that a fleet does not sweep at once."},
		{name: "logs.grace", doc: "How long a folder stays after its container's end and after the last write into it."},
		{name: "logs.unknown_grace", doc: "The same for a folder whose container was never seen alive on this host."},
		{name: "logs.max_age", doc: "How long a dead container's folder is kept instead of going when its grace is over, or off."},
		{name: "logs.max_bytes", doc: "What the dead containers' folders of one root may take; beyond it the oldest go. A limit keeps what is within it. Or off."},
		{name: "logs.max_service_bytes", doc: "The same for the dead containers' folders of one service."},
		{name: "logs.undo", doc: "How long a removed folder can be brought back before its space is freed."},
		{name: "logs.archive", rule: optional(isPath), doc: "Folder that receives a .tar.gz of each log folder before it is deleted for good. Empty: none."},
		{name: "logs.rotate_after", doc: "How long a file of a living container must be closed and unchanged before it is compressed where it lies, or off: the host may have logrotate."},
		{name: "logs.first_sweep_delay", doc: "For this long after Berth first ran on the host, scheduled sweeps only plan, and say so."},
		{name: "logs.sweep_share", least: 1, most: 100, doc: "Percent of the folders that one sweep removes at most, but not fewer than 20. An operator can lift the three limits for one sweep."},
		{name: "logs.sweep_bytes", doc: "What one sweep removes at most, or off."},
		{name: "logs.sweep_time", doc: "For how long one sweep removes. 0: no limit."},

		{name: "images", doc: "Images that no container uses."},
		{name: "images.schedule", rule: schedule, doc: "When the sweep runs: a cron expression, in UTC. It also runs, and removes only as much as it takes, when the disk of Docker's data root is above disk.high."},
		{name: "images.splay", doc: "Most that this host runs after the scheduled moment."},
		{name: "images.min_age", doc: "How long an image stays after its last use or, never used, after its pull. Above disk.emergency an hour is enough."},
		{name: "images.keep", doc: "Patterns of images that always stay, such as \"base/*\": of a name or a repository, with or without the registry's host. So do images with the label berth.keep."},
		{name: "images.keep[]", rule: isImagePattern},
		{name: "images.keep_newest", most: 1000, doc: "How many images of each repository always stay: those that came to this host last."},
		{name: "images.dangling", doc: "How long an image without any name stays."},

		{name: "disk", doc: "When a file system counts as full: percent of its bytes or of its inodes, whichever is worse. One that will be full within the hour is short of space too."},
		{name: "disk.high", least: 1, most: 100, doc: "Percent from which removed log folders are purged before their undo window ends, and a sweep is run off its schedule."},
		{name: "disk.low", least: 1, most: 100, doc: "Percent at which that ends; below high."},
		{name: "disk.emergency", least: 1, most: 100, doc: "Percent from which that is done without archives, limits and pauses; above high."},

		{name: "containers", doc: "Stopped containers that ECS does not own."},
		{name: "containers.stopped", doc: "How long after its end a stopped container is removed, or off."},

		{name: "volumes", doc: "Volumes that no container refers to."},
		{name: "volumes.anonymous", doc: "How long after it was last mounted, or first seen, an anonymous volume of the local driver is removed, or off."},

		{name: "build_cache", doc: "What builds on this host left for the next build."},
		{name: "build_cache.unused", doc: "How long after its last use a record of the build cache is removed, or off. To list them, in plans and sweeps, an Engine before 23.0 walks all volumes."},

		{name: "relay", doc: "The dogstatsd relay for containers."},
		{name: "relay.listen", restart: true, doc: "Where it listens: interface:port for whatever addresses that has at the time, address:port, or off."},
		{name: "relay.upstream", rule: isUpstream, doc: "Where it sends: udp://host:port, unixgram:///path or unix:///path. Each further one in a list gets a copy of every packet."},
		{name: "relay.upstream[]", rule: isUpstreamURL},
		{name: "relay.fallback", rule: optional(isUpstreamURL), doc: "Takes what the first upstream cannot while that is away. Empty: it is held until the upstream is back."},
		{name: "relay.origin", enum: []string{"auto", "cred", "field", "inode", "tags", off}, doc: "How the upstream learns which container a packet is from: its process in the credentials of a unixgram upstream, a field with the container's ID or its cgroup's inode, or tags."},
		{name: "relay.client_origin", enum: []string{KeepOrigin, ReplaceOrigin}, doc: "What becomes of the container that a client has named by itself. replace: no container can pose as another."},
		{name: "relay.hold", rule: isHold, doc: "How much is held in memory while upstreams are away; the oldest make room."},
		{name: "relay.rate", most: 10_000_000, doc: "Messages a second that one container may send. 0: no limit."},
		{name: "relay.contexts", most: 10_000_000, doc: "New contexts, which are names with their tags, that one container may begin in a minute. 0: no limit."},
		{name: "relay.block", rule: isBlock, doc: "Metrics that are dropped: a service, or * for all, to beginnings of their names, such as {\"*\": [debug.]}."},
		{name: "relay.block[][]", rule: isNameBeginning},
		{name: "relay.stable_address", rule: isStableAddress, doc: "Address put on lo for containers to send to, the same on every host, such as 169.254.231.1. Empty: docker0's own address."},
		{name: "relay.labels", rule: isLabels, doc: "Container labels that become tags when origin is tags: label to tag name."},
		{name: "relay.labels[]", rule: isTagName},

		{name: "publish", doc: "This host's record in the central store."},
		{name: "publish.store", rule: isStore, restart: true, doc: "embedded, or the store's URL: etcd://host:port, dynamodb://table?region=R or redis://host:port. etcds and rediss encrypt; user, passwordfile, cafile, certfile and keyfile are parameters of both, as in etcds://10.0.0.5:2379?user=berth&passwordfile=/etc/berth/store. A file that is named without a folder is one that systemd hands over (LoadCredential)."},
		{name: "publish.jmxmp_port", least: 1, most: 65535, doc: "Port inside containers behind which a JMXMP server is looked for."},
		{name: "publish.ttl", rule: isTTL, doc: "How long the record lives without being renewed; at least 10s."},
		{name: "publish.withdraw", doc: "Take the record out of the store when the daemon ends: for a host that does not come back. Without it a restart goes unnoticed, and the record goes along only when systemd shuts the host down."},

		{name: "metrics", doc: "The agent's own metrics."},
		{name: "metrics.dogstatsd", rule: isDogstatsd, doc: "Where they go: host:port, the path of a unix socket, or off."},
		{name: "metrics.prefix", rule: isMetricPrefix, doc: "What each name begins with."},
		{name: "metrics.tags", doc: "Tags on each metric, such as \"env:prod\"."},
		{name: "metrics.tags[]", rule: isTag},

		{name: "cluster", doc: "What all hosts decide together. It has no keys yet."},

		{name: "log", doc: "The agent's own log."},
		{name: "log.level", enum: []string{"debug", "info", "warn", "error"}, doc: "Least severe message that is written."},
		{name: "log.format", enum: []string{"auto", "json", "text", "journal"}, restart: true, doc: "How it is written. auto: journal under systemd, text on a terminal, else json."},

		{name: "config", doc: "This file."},
		{name: "config.watch", doc: "Put a changed file in force by itself; a file with faults is reported and changes nothing."},
	}
}
