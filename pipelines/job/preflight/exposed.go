package preflight

import (
	"context"
	"net"
	"strings"
	"time"
)

// exposed tells where other machines reach a server that asks for no login: at the address itself, or
// at another one of this machine. It is empty for one that listens on loopback alone.
func exposed(ctx context.Context, address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address, _, _ = strings.Cut(rest, "/")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, "80"
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return ""
	}
	for _, ip := range ips {
		if !ip.IP.IsLoopback() {
			return net.JoinHostPort(host, port)
		}
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, addr := range own {
		network, ok := addr.(*net.IPNet)
		if !ok || network.IP.IsLoopback() || network.IP.IsLinkLocalUnicast() {
			continue
		}
		d := net.Dialer{Timeout: 200 * time.Millisecond} // this machine's own address
		at := net.JoinHostPort(network.IP.String(), port)
		if conn, err := d.DialContext(ctx, "tcp", at); err == nil {
			_ = conn.Close() // nothing was sent
			return at
		}
	}
	return ""
}

// open is a warning about a server that asks for no login, if other machines reach it.
func open(ctx context.Context, address, power, fix string) []Finding {
	at := exposed(ctx, address)
	if at == "" {
		return nil
	}
	return []Finding{{Status: Warning, Detail: "other machines reach it at " + at + ", without a login: " + power, Fix: fix}}
}
