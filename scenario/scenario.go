// SPDX-License-Identifier: Apache-2.0

// Package scenario makes a network from a file: hosts with their addresses and names, links, routes, firewalls, servers
// inside the process, and the programs to start on hosts. docs/scenario.md describes the file.
//
//	scenario.Parse  the file, all its mistakes named (decode.go, value.go: YAML; file.go: keys; check.go: sense)
//	build.go        the hosts and links of a dialtone.Network
//	serve.go        the servers (serving.go: they end with a crash of their host)
//	timeline.go     what happens later
package scenario

import (
	_ "embed" // for the default network
	"errors"
	"fmt"
	"os"

	"dialtone/personality"
)

// Scenario is a network that a file describes, checked and ready to be built any number of times.
type Scenario struct {
	file file
}

//go:embed default.yaml
var defaultFile []byte

// Default returns the network that programs run on if no file is named.
func Default() *Scenario {
	s, err := Parse("default.yaml", defaultFile)
	if err != nil {
		panic(err) // a test reads the file
	}
	return s
}

// Load reads the file at path. If the file has mistakes, the error is of type [Mistakes].
func Load(path string) (*Scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Parse reads data, the content of a file called name. The error, if any, is of type [Mistakes].
func Parse(name string, data []byte) (*Scenario, error) {
	d := &decoder{mistakes{file: name}}
	s := new(Scenario)
	d.decodeFile(data, &s.file)
	if d.err() == nil {
		check(&s.file, &d.mistakes) // only a file that was understood can be judged
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// SetPersonality gives a host another personality than the file says: the host by its name or alias, the file's first if
// that is empty.
func (s *Scenario) SetPersonality(host, name string) error {
	h, err := s.host(host)
	if err != nil {
		return err
	}
	if _, ok := personality.Named(name); !ok {
		return fmt.Errorf("no personality %q, %s", name, expected(name, personality.Names()))
	}
	h.v.Personality.v = name
	return nil
}

// HostName returns the name of the host with the given name or alias, of the file's first if that is empty. The error tells
// the name that may have been meant, or all there are.
func (s *Scenario) HostName(name string) (string, error) {
	h, err := s.host(name)
	if err != nil {
		return "", err
	}
	return h.name.v, nil
}

func (s *Scenario) host(name string) (*entry[hostPart], error) {
	if name == "" {
		return &s.file.Hosts[0], nil
	}
	if h := s.file.host(name); h != nil {
		return h, nil
	}
	return nil, errors.New(s.file.noHost(name))
}

// Program is one to start on a host.
type Program struct {
	Host        string   // the host's name
	Args        []string // the program and its arguments
	Directory   string   // to start in; empty: the current one
	Environment []string // NAME=VALUE, added to the current environment
}

// Programs returns the programs of the file, in its order.
func (s *Scenario) Programs() []Program {
	var all []Program
	for i := range s.file.Programs {
		part := &s.file.Programs[i]
		p := Program{Host: s.file.host(part.Host.v).name.v, Directory: part.Directory.v}
		for _, arg := range part.Command {
			p.Args = append(p.Args, arg.v)
		}
		for _, e := range part.Environment {
			p.Environment = append(p.Environment, e.name.v+"="+e.v.v)
		}
		all = append(all, p)
	}
	return all
}
