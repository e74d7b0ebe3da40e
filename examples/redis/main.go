// SPDX-License-Identifier: Apache-2.0

// Redis is a go-redis client that meets trouble: its server crashes and comes back without its memory, and the next
// connect fails. The server is a small one that speaks as much of the protocol as it takes.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"dialtone"
	"dialtone/errno"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer) error {
	n := dialtone.NewNetwork()
	l, err := n.Host("cache.test").Listen("tcp", ":6379")
	if err != nil {
		return err
	}
	defer l.Close()
	go serve(l)

	_, err = n.Fault(dialtone.Fault{To: "cache.test", Port: 6379, Nth: 2, Times: 1, Errno: errno.ECONNREFUSED})
	if err != nil {
		return err
	}
	dials := 0
	app := n.Host("app.test")
	client := redis.NewClient(&redis.Options{
		Addr: "cache.test:6379", Protocol: 2, DisableIdentity: true, PoolSize: 1,
		Dialer: func(ctx context.Context, _, address string) (net.Conn, error) {
			dials++
			c, err := app.DialContext(ctx, "tcp4", address)
			if err != nil {
				fmt.Fprintf(out, "dial %d: %v\n", dials, err)
			}
			return c, err
		},
	})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "greeting", "hello", 0).Err(); err != nil {
		return err
	}
	for range 2 { // the second one on the connection that is kept
		v, err := client.Get(ctx, "greeting").Result()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s, after %d dials\n", v, dials)
	}
	n.Host("cache.test").Crash()
	n.Host("cache.test").Restart()
	if l, err = n.Host("cache.test").Listen("tcp", ":6379"); err != nil {
		return err
	}
	defer l.Close()
	go serve(l)
	_, err = client.Get(ctx, "greeting").Result()
	fmt.Fprintf(out, "after a crash: forgotten %v, after %d dials\n", err == redis.Nil, dials)
	return nil
}

// serve answers SET and GET (redis.io, "Redis serialization protocol specification").
func serve(l net.Listener) {
	var mu sync.Mutex
	values := map[string]string{}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for r := bufio.NewReader(c); ; {
				words, err := command(r)
				if err != nil {
					return
				}
				mu.Lock()
				switch strings.ToUpper(words[0]) {
				case "SET":
					values[words[1]] = words[2]
					io.WriteString(c, "+OK\r\n")
				case "GET":
					if v, ok := values[words[1]]; ok {
						fmt.Fprintf(c, "$%d\r\n%s\r\n", len(v), v)
					} else {
						io.WriteString(c, "$-1\r\n")
					}
				default:
					io.WriteString(c, "-ERR unknown command\r\n")
				}
				mu.Unlock()
			}
		}()
	}
}

// command reads an array of strings.
func command(r *bufio.Reader) ([]string, error) {
	n, err := number(r, '*')
	if err != nil {
		return nil, err
	}
	words := make([]string, max(n, 3)) // what is not given is empty
	for i := range n {
		size, err := number(r, '$')
		if err != nil {
			return nil, err
		}
		b := make([]byte, size+2)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		words[i] = string(b[:size])
	}
	return words, nil
}

func number(r *bufio.Reader, kind byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("%q does not begin with %c", line, kind)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}
