// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"

	"dialtone/scenario"
)

// A web server in a file, and a client in Go.
func Example() {
	s, err := scenario.Parse("pair.yaml", []byte(`
links:
  lan: {kind: hub}
hosts:
  client.test:
    interfaces: {eth0: {link: lan, addresses: [10.0.0.1/24]}}
  web.test:
    interfaces: {eth0: {link: lan, addresses: [10.0.0.2/24]}}
    services: [{kind: http, page: "hello"}]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	network, err := s.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer network.Close()

	client := http.Client{Transport: &http.Transport{DialContext: network.Host("client.test").DialContext}}
	defer client.CloseIdleConnections()
	r, err := client.Get("http://web.test/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Body.Close()
	page, err := io.ReadAll(r.Body)
	fmt.Println(string(page), err)

	_, err = client.Get("http://web.test:81/")
	fmt.Println(errors.Is(err, syscall.ECONNREFUSED))
	// Output:
	// hello <nil>
	// true
}

// Every mistake in a file has its place.
func ExampleMistakes() {
	_, err := scenario.Parse("net.yaml", []byte(`
hosts:
  web.test:
    interfaces:
      eth0: {link: lan, adresses: [10.0.0.1/24]}
    personality: linux-2.0
`))
	fmt.Println(err)
	// Output:
	// net.yaml:5:13: the key "addresses" is missing
	// net.yaml:5:25: unknown key "adresses", expected "addresses"
}
