// SPDX-License-Identifier: Apache-2.0

// Grpc is a gRPC server and its client on two hosts that exist in this process alone, and the link between them cut and
// healed.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"dialtone"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer) error {
	n := dialtone.NewNetwork()
	l, err := n.Host("server.test").Listen("tcp", ":50051")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go server.Serve(l)
	defer server.Stop()

	client := n.Host("client.test")
	// passthrough leaves the name to the dialer, which asks the network.
	conn, err := grpc.NewClient("passthrough:///server.test:50051",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return client.DialContext(ctx, "tcp4", address)
		}))
	if err != nil {
		return err
	}
	defer conn.Close()
	check := func(timeout time.Duration) error {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		r, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err == nil {
			fmt.Fprintln(out, "the server is", r.Status)
		}
		return err
	}
	if err := check(10 * time.Second); err != nil {
		return err
	}
	n.Hub().Cut()
	err = check(100 * time.Millisecond)
	fmt.Fprintln(out, "the link is cut:", status.Code(err) == codes.DeadlineExceeded)
	n.Hub().Heal()
	return check(10 * time.Second)
}
