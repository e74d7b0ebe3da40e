// SPDX-License-Identifier: Apache-2.0

// Pgx is a pgx client that fails over: of two database hosts the first is cut off from the network. The databases are
// small ones, which answer every query with their name.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"

	"dialtone"
	"dialtone/link"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer) error {
	n := dialtone.NewNetwork()
	for _, name := range []string{"db1.test", "db2.test"} {
		l, err := n.Host(name).Listen("tcp", ":5432")
		if err != nil {
			return err
		}
		defer l.Close()
		go serve(l, name)
	}
	config, err := pgx.ParseConfig("postgres://app@db1.test:5432,db2.test:5432/app?sslmode=disable")
	if err != nil {
		return err
	}
	// Of the network are the connections and the names; each dial has half a second.
	d := dialtone.Dialer{Host: n.Host("app.test"), Timeout: time.Second / 2}
	config.DialFunc = d.DialContext
	config.LookupFunc = n.Resolver().LookupHost
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	ask := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		var name string
		if err := conn.QueryRow(ctx, "select name").Scan(&name); err != nil {
			return err
		}
		fmt.Fprintln(out, "the answer is of", name)
		return nil
	}
	if err := ask(); err != nil {
		return err
	}
	var rules []link.Rule
	for _, ip := range n.Addresses("db1.test") {
		p, err := ip.Prefix(ip.BitLen())
		if err != nil {
			return err
		}
		rules = append(rules, link.Rule{To: p, Action: link.Drop})
	}
	if err := n.Impair(rules...); err != nil {
		return err
	}
	return ask()
}

// serve answers every query with one row, the database's name (PostgreSQL 18, "Frontend/Backend Protocol").
func serve(l net.Listener, name string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			b := pgproto3.NewBackend(c, c)
			if _, err := b.ReceiveStartupMessage(); err != nil {
				return
			}
			b.Send(&pgproto3.AuthenticationOk{})
			// What pgx asks of a server before it sends queries as text.
			b.Send(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"})
			b.Send(&pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
			for {
				b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
				if err := b.Flush(); err != nil {
					return
				}
				m, err := b.Receive()
				if err != nil {
					return
				}
				if _, ok := m.(*pgproto3.Query); !ok {
					return // the client is done
				}
				const textOID = 25
				b.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("name"), DataTypeOID: textOID, DataTypeSize: -1, TypeModifier: -1}}})
				b.Send(&pgproto3.DataRow{Values: [][]byte{[]byte(name)}})
				b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
			}
		}()
	}
}
