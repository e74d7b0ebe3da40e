// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// decoder turns YAML into the structs of file.go. It goes on after a mistake, so that one run names them all.
type decoder struct{ mistakes }

// decodable is a part of a file that knows how to read itself: value, list, table. The other parts are structs, whose
// fields bear their keys as a tag `key:"NAME"`, or `key:"NAME,required"`.
type decodable interface {
	decode(d *decoder, n ast.Node)
}

// decodeFile reads the one document in data into into, a struct.
func (d *decoder) decodeFile(data []byte, into any) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		d.syntax(err)
		return
	}
	var documents []ast.Node
	for _, document := range file.Docs {
		if document.Body != nil {
			documents = append(documents, document.Body)
		}
	}
	switch len(documents) {
	case 0:
		d.add(position{}, "the file is empty, expected a mapping with the keys %s", strings.Join(keys(into), ", "))
	case 1:
		d.decode(documents[0], into)
	default:
		d.add(positionOf(documents[1]), "a second document, expected only one in a file")
	}
}

// syntax adds what the YAML parser found.
func (d *decoder) syntax(err error) {
	var where yaml.Error
	if !errors.As(err, &where) || where.GetToken() == nil {
		d.add(position{}, "%v", err)
		return
	}
	at := where.GetToken().Position
	d.add(position{at.Line, at.Column}, "not YAML: %s", where.GetMessage())
}

// decode reads n into into: a pointer to a decodable or to a struct.
func (d *decoder) decode(n ast.Node, into any) {
	if part, ok := into.(decodable); ok {
		part.decode(d, n)
		return
	}
	mapping, ok := d.mapping(n, "a mapping with keys of "+strings.Join(keys(into), ", "))
	if !ok {
		return
	}
	fields := fieldsOf(into)
	seen := make(map[string]bool)
	for _, pair := range mapping {
		key, ok := d.key(pair.Key)
		if !ok {
			continue
		}
		field, known := fields[key]
		if !known {
			d.add(positionOf(pair.Key), "unknown key %q, %s", key, expected(key, keys(into)))
			continue
		}
		seen[key] = true
		d.decode(pair.Value, field.into)
	}
	for _, key := range keys(into) {
		if fields[key].required && !seen[key] {
			d.add(positionOf(n), "the key %q is missing", key)
		}
	}
}

// mapping returns the pairs of n, which must be a mapping; what says so in words.
func (d *decoder) mapping(n ast.Node, what string) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	d.wrong(n, what)
	return nil, false
}

// key returns the text of a mapping's key.
func (d *decoder) key(n ast.MapKeyNode) (string, bool) {
	scalar, ok := n.(ast.ScalarNode)
	if !ok || n.Type() == ast.MergeKeyType {
		d.wrong(n, "a plain key")
		return "", false
	}
	return scalarText(scalar), true
}

// wrong adds that n is not what was expected.
func (d *decoder) wrong(n ast.Node, what string) {
	d.add(positionOf(n), "%s, expected %s", describe(n), what)
}

// describe names a node in words.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode, nil:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor, alias or merge key, which are not read"
	case *ast.TagNode:
		return "a tag, which is not read"
	case ast.ScalarNode:
		return quoted(scalarText(n))
	}
	return "YAML's " + n.Type().String()
}

// quoted returns text in quotes, as much of it as a line of a message bears.
func quoted(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "…"
	}
	return strconv.Quote(text)
}

// scalarText returns the text of a scalar as it stands in the file, without its quotes.
func scalarText(n ast.ScalarNode) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return n.GetToken().Value
}

// positionOf returns where n begins.
func positionOf(n ast.Node) position {
	switch m := n.(type) {
	case nil:
		return position{}
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return positionOf(m.Values[0].Key) // the node itself stands at the first colon
		}
	case *ast.MappingValueNode:
		return positionOf(m.Key)
	}
	token := n.GetToken()
	if token == nil || token.Position == nil {
		return position{}
	}
	return position{token.Position.Line, token.Position.Column}
}

// field is one key of a struct.
type field struct {
	into     any // pointer to the struct's field
	required bool
}

// fieldsOf returns the keys of the struct into points to.
func fieldsOf(into any) map[string]field {
	fields := make(map[string]field)
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("key"); tag != "" {
			name, option, _ := strings.Cut(tag, ",")
			fields[name] = field{v.Field(i).Addr().Interface(), option == "required"}
		}
	}
	return fields
}

// keys returns the names of the keys of the struct into points to, in its order.
func keys(into any) []string {
	var names []string
	t := reflect.TypeOf(into).Elem()
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("key"); tag != "" {
			name, _, _ := strings.Cut(tag, ",")
			names = append(names, name)
		}
	}
	return names
}
