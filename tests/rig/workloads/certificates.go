package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// runCertificates writes what the rig's TLS needs into a folder: ca.crt, serving.crt and serving.key for every name
// that a part listens on, and service-accounts.key, with which tokens are signed.
func runCertificates(arguments []string) error {
	if len(arguments) < 2 {
		return fmt.Errorf("usage: certificates FOLDER ADDRESS...")
	}
	folder, addresses := arguments[0], arguments[1:]
	authority, authorityKey, err := newAuthority()
	if err != nil {
		return err
	}
	serving, servingKey, err := newServing(authority, authorityKey, addresses)
	if err != nil {
		return err
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	for name, write := range map[string]func() (*pem.Block, error){
		"ca.crt":               certificateBlock(authority.Raw),
		"serving.crt":          certificateBlock(serving),
		"serving.key":          keyBlock(servingKey),
		"service-accounts.key": keyBlock(signer),
	} {
		block, err := write()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func newAuthority() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	template := validFor(1, "rig-ca")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	authority, err := x509.ParseCertificate(raw)
	return authority, key, err
}

func newServing(authority *x509.Certificate, authorityKey *ecdsa.PrivateKey, addresses []string) ([]byte, *ecdsa.PrivateKey, error) {
	template := validFor(2, "rig")
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, address := range addresses {
		if ip := net.ParseIP(address); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, address)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, authority, key.Public(), authorityKey)
	return raw, key, err
}

// A rig lives for hours; the hour before is for clocks that disagree.
func validFor(serial int64, name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
	}
}

func certificateBlock(raw []byte) func() (*pem.Block, error) {
	return func() (*pem.Block, error) { return &pem.Block{Type: "CERTIFICATE", Bytes: raw}, nil }
}

func keyBlock(key *ecdsa.PrivateKey) func() (*pem.Block, error) {
	return func() (*pem.Block, error) {
		raw, err := x509.MarshalECPrivateKey(key)
		return &pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}, err
	}
}
