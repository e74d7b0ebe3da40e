// SPDX-License-Identifier: Apache-2.0

package capture_test

import (
	"bytes"
	"fmt"

	"github.com/gopacket/gopacket/pcapgo"

	"dialtone"
	"dialtone/capture"
	"dialtone/clock"
)

// A connect that is refused: its two packets, each where it left and where it arrived. With an [os.File] in place of the
// buffer the file is one for Wireshark, as it is one for pcapgo here.
func Example() {
	n := dialtone.NewNetwork(dialtone.WithClock(clock.NewManual()))
	n.Host("web.test")
	client := n.Host("client.test")

	var file bytes.Buffer
	c, err := capture.Start(&file, n) // or capture.Start(&file, n, "web.test/eth0")
	if err != nil {
		panic(err)
	}
	_, err = client.Dial("tcp4", "web.test:80")
	fmt.Println(err)
	if err := c.Close(); err != nil {
		panic(err)
	}

	r, err := pcapgo.NewNgReader(&file, pcapgo.NgReaderOptions{})
	if err != nil {
		panic(err)
	}
	for {
		data, info, options, err := r.ReadPacketDataWithOptions()
		if err != nil {
			break // io.EOF
		}
		i, _ := r.Interface(info.InterfaceIndex)
		way := "came in by"
		if options.Flags.Direction == pcapgo.NgEpbFlagDirectionOutbound {
			way = "went out by"
		}
		fmt.Println(len(data), "bytes", way, i.Name)
	}
	// Output:
	// dial tcp4 10.0.0.1:80: connect: connection refused
	// 60 bytes went out by client.test/eth0
	// 60 bytes came in by web.test/eth0
	// 40 bytes went out by web.test/eth0
	// 40 bytes came in by client.test/eth0
}
