package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLS settings. The zero value trusts the machine's certificate authorities.
type TLS struct {
	// CAFile holds the certificates to trust instead, as PEM.
	CAFile string `json:",omitempty"`
	// CertFile and KeyFile are the client's certificate and key, as PEM: both or neither.
	CertFile string `json:",omitempty"`
	KeyFile  string `json:",omitempty"`
	// ServerName is the name in the server's certificate, if it is not the host's.
	ServerName string `json:",omitempty"`
}

// Validate reports what is wrong with the settings themselves.
func (t *TLS) Validate() error {
	if (t.CertFile == "") != (t.KeyFile == "") {
		return errors.New("tls: certificate and key go together: one is missing")
	}
	return nil
}

// Config reads the files of t. The client's certificate is read again for each connection, so
// that one that was renewed needs no new job.
func (t *TLS) Config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("certificate authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificate authorities: %s holds no certificate", t.CAFile)
		}
	}
	if t.CertFile != "" {
		if _, err := t.pair(); err != nil {
			return nil, err
		}
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return t.pair() }
	}
	return config, nil
}

func (t *TLS) pair() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("client certificate: %w", err)
	}
	return &pair, nil
}
