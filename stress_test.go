// SPDX-License-Identifier: Apache-2.0

package dialtone_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"dialtone"
)

// Many goroutines connect, talk and close at once, over a cable and over loopback: nobody may be stranded (a packet left
// in an inbox leaves both ends asleep for ever), and nothing may be left behind.
func TestManyAtOnce(t *testing.T) {
	const clients, rounds = 16, 40
	for name, to := range map[string]string{"cable": "web.test:80", "loopback": "client.test:80"} {
		t.Run(name, func(t *testing.T) {
			n := dialtone.NewNetwork()
			web, client := n.Host("web.test"), n.Host("client.test")
			server := web
			if name == "loopback" {
				server = client
			}
			l, err := server.Listen("tcp", ":80")
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go func(c net.Conn) {
						io.Copy(c, c)
						c.Close()
					}(c)
				}
			}()
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					buf := make([]byte, 1000)
					for range rounds {
						c, err := client.Dial("tcp", to)
						if err != nil {
							t.Error(err)
							return
						}
						for range 3 {
							c.Write(buf)
							if _, err := io.ReadFull(c, buf); err != nil {
								t.Error(err)
							}
						}
						c.(*dialtone.Conn).CloseWrite()
						if rest, err := io.ReadAll(c); err != nil || len(rest) != 0 {
							t.Errorf("%d bytes too many, %v", len(rest), err)
						}
						c.Close()
					}
				})
			}
			all.Wait()
			l.Close()
		})
	}
}
