// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"net/netip"
	"time"

	"dialtone/firewall"
	"dialtone/selinux"
	"dialtone/wire"
)

// The structs of a scenario file. Each key, its unit and its default are in docs/scenario.md.

type file struct {
	Seed     value[uint64]                  `key:"seed"`
	Links    table[linkPart]                `key:"links"`
	Hosts    table[hostPart]                `key:"hosts,required"`
	Names    table[list[value[netip.Addr]]] `key:"names"`
	SRV      table[list[srvPart]]           `key:"srv"`
	Lookups  list[lookupPart]               `key:"lookups"`
	Faults   list[faultPart]                `key:"faults"`
	Timeline list[eventPart]                `key:"timeline"`
	Policy   value[string]                  `key:"policy"`
	Mode     value[mode]                    `key:"mode"`
	Booleans table[value[bool]]             `key:"booleans"`
	Flask    value[bool]                    `key:"flask"`
	Labelled value[bool]                    `key:"labelled"`
	Labels   labelsPart                     `key:"labels"`
	Programs list[programPart]              `key:"programs"`

	policy *selinux.Policy // found when the file is checked; nil: no access control
}

type linkPart struct {
	Kind    value[linkKind]      `key:"kind,required"`
	Latency value[time.Duration] `key:"latency"`
	Rules   list[linkRulePart]   `key:"rules"`
	TUN     tunPart              `key:"tun"`
}

type tunPart struct {
	Device    value[string]             `key:"device,required"`
	Addresses list[value[netip.Prefix]] `key:"addresses,required"`
}

type hostPart struct {
	Aliases     list[value[string]]  `key:"aliases"`
	Personality value[string]        `key:"personality"`
	Sysctls     table[value[string]] `key:"sysctls"`
	Interfaces  table[interfacePart] `key:"interfaces"`
	Routes      list[routePart]      `key:"routes"`
	Firewall    firewallPart         `key:"firewall"`
	Services    list[servicePart]    `key:"services"`
}

type interfacePart struct {
	Link      value[string]             `key:"link,required"`
	Addresses list[value[netip.Prefix]] `key:"addresses,required"`
	Silent    value[bool]               `key:"silent"`
}

type routePart struct {
	To        value[netip.Prefix] `key:"to,required"`
	Type      value[routeType]    `key:"type"`
	Via       value[netip.Addr]   `key:"via"`
	Interface value[string]       `key:"interface"`
}

type firewallPart struct {
	Input  chainPart `key:"input"`
	Output chainPart `key:"output"`
}

type chainPart struct {
	Policy value[firewall.Verdict] `key:"policy"`
	Rules  list[rulePart]          `key:"rules"`
}

type rulePart struct {
	Protocol  value[wire.Protocol]    `key:"protocol"`
	From      value[netip.Prefix]     `key:"from"`
	FromPort  value[firewall.Ports]   `key:"from-port"`
	To        value[netip.Prefix]     `key:"to"`
	ToPort    value[firewall.Ports]   `key:"to-port"`
	Interface value[string]           `key:"interface"`
	Verdict   value[firewall.Verdict] `key:"verdict,required"`
}

type servicePart struct {
	Kind value[serviceKind] `key:"kind,required"`
	Port value[uint16]      `key:"port"`
	Page value[string]      `key:"page"`
}

type srvPart struct {
	Host     value[string] `key:"host,required"`
	Port     value[uint16] `key:"port,required"`
	Priority value[uint16] `key:"priority"`
	Weight   value[uint16] `key:"weight"`
}

type lookupPart struct {
	Name value[string]    `key:"name"`
	Fail value[nameFault] `key:"fail,required"`
}

type programPart struct {
	Host        value[string]        `key:"host,required"`
	Command     list[value[string]]  `key:"command,required"`
	Directory   value[string]        `key:"directory"`
	Environment table[value[string]] `key:"environment"`
}
