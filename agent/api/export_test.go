package api

import "reflect"

// A Described is one route as the document's generator sees it.
type Described struct {
	Method, Path, Access, Doc, MIME string
	Query                           []DescribedParam
	Body, Answer                    reflect.Type
}

// A DescribedParam is one value of a route's query.
type DescribedParam struct {
	Name, Kind, Doc string
	Required        bool
}

// Describe lists the table of routes.
func Describe() []Described {
	var all []Described
	for _, r := range routes() {
		d := Described{Method: r.method, Path: r.path, Access: string(r.access), Doc: r.doc, MIME: r.mime, Body: r.body, Answer: r.answer}
		for _, p := range r.query {
			d.Query = append(d.Query, DescribedParam{Name: p.name, Kind: p.kind, Doc: p.doc, Required: p.required})
		}
		all = append(all, d)
	}
	return all
}
