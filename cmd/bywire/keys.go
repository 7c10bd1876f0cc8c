package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
)

const keysLong = `Ask the exchange about the key: what it may do, from which addresses, and until when. The
key comes from --creds FILE, else from the environment: BYBIT_API_KEY with BYBIT_API_SECRET or
BYBIT_PRIVATE_KEY_PATH. Any key may ask. Of the key only the first characters are printed, of a secret
nothing.

A key without addresses expires after 90 days. -o json prints one object with key, note, account,
mainAccount, readOnly, permissions, addresses, expires, days, created and rsa.`

func (a *app) keysCommand() *cobra.Command {
	var conn connection
	var format string
	cmd := &cobra.Command{
		Use:     "keys",
		Short:   "show what the API key may do, from where and until when",
		Long:    keysLong,
		Example: "  bywire keys --env testnet --creds testnet.json\n  bywire keys -o json | jq .permissions",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format, formatText, formatJSON); err != nil {
				return err
			}
			env, err := conn.restEnvironment(cmd)
			if err != nil {
				return err
			}
			keys, err := conn.credentials()
			if err != nil {
				return err
			}
			if keys == nil {
				return noKey("keys")
			}
			return a.keys(cmd.Context(), env, keys, format)
		},
	}
	conn.serverFlags(cmd)
	outputFlag(cmd, &format, formatText, "`FORMAT`: text or json", formatText, formatJSON)
	return cmd
}

// keyInfo is what the exchange says about a key, without the key.
type keyInfo struct {
	Key         string              `json:"key"` // its first characters
	Note        string              `json:"note,omitempty"`
	Account     string              `json:"account"`
	Main        bool                `json:"mainAccount"`
	ReadOnly    bool                `json:"readOnly"`
	Permissions map[string][]string `json:"permissions"` // by area, empty ones left out
	Addresses   []string            `json:"addresses"`   // empty: any
	Expires     *time.Time          `json:"expires"`     // null: never
	Days        *int64              `json:"days"`        // until it expires
	Created     string              `json:"created,omitempty"`
	RSA         bool                `json:"rsa"`
}

func newKeyInfo(r *bybit.UserAPIKeyResult) (*keyInfo, error) {
	k := &keyInfo{
		Key: strings.TrimPrefix(bybit.Credentials{Key: r.APIKey}.String(), "credentials of key "), Note: r.Note,
		Account: r.UserID, Main: r.IsMaster, ReadOnly: r.ReadOnly,
		Addresses: []string{}, RSA: r.RSAPublicKey != "",
	}
	// The areas by their names, as the exchange has them.
	var areas struct {
		Permissions *map[string][]string `json:"permissions"`
	}
	areas.Permissions = &k.Permissions
	if err := json.Unmarshal(r.AppendJSON(nil), &areas); err != nil {
		return nil, fmt.Errorf("permissions: %w", err)
	}
	maps.DeleteFunc(k.Permissions, func(_ string, list []string) bool { return len(list) == 0 })
	for _, ip := range r.IPs {
		if ip != "*" && ip != "" {
			k.Addresses = append(k.Addresses, ip)
		}
	}
	if !r.CreatedAt.IsZero() {
		k.Created = r.CreatedAt.Format(time.RFC3339)
	}
	if !r.ExpiredAt.IsZero() { // else never
		k.Expires, k.Days = &r.ExpiredAt, &r.DeadlineDay
	}
	return k, nil
}

// may reports whether a key has a permission in some area.
func (k *keyInfo) may(permission string) bool {
	for _, list := range k.Permissions {
		if slices.Contains(list, permission) {
			return true
		}
	}
	return false
}

func (k *keyInfo) access() string {
	if k.ReadOnly {
		return "read only"
	}
	return "read and write"
}

func (k *keyInfo) addresses() string {
	if len(k.Addresses) == 0 {
		return "any"
	}
	return strings.Join(k.Addresses, ", ")
}

func (k *keyInfo) expiry() string {
	if k.Expires == nil {
		return "never"
	}
	return fmt.Sprintf("%s, in %s", k.Expires.UTC().Format(time.RFC3339), counted(int(*k.Days), "day"))
}

// keys prints what the exchange says about the key.
func (a *app) keys(ctx context.Context, env bybit.Environment, keys *bybit.Credentials, format string) error {
	client, err := bybit.NewClient(a.restOptions(env, keys))
	if err != nil {
		return usageError("%w", err)
	}
	defer client.Close()
	r, err := client.User.APIKey(ctx)
	if err != nil {
		return explained(err, &env)
	}
	k, err := newKeyInfo(r)
	if err != nil {
		return err
	}
	if format == formatJSON {
		return a.printJSON(k)
	}
	w := a.columns()
	row := func(name, value string) { fmt.Fprintf(w, "%s\t%s\n", name, printable(value)) }
	row("key", k.Key)
	if k.Note != "" {
		row("note", k.Note)
	}
	account := "sub-account " + k.Account
	if k.Main {
		account = "main account " + k.Account
	}
	row("account", account)
	row("access", k.access())
	name := "permissions"
	for _, area := range slices.Sorted(maps.Keys(k.Permissions)) {
		row(name, area+": "+strings.Join(k.Permissions[area], ", "))
		name = ""
	}
	if len(k.Permissions) == 0 {
		row(name, "none")
	}
	row("addresses", k.addresses())
	row("expires", k.expiry())
	signs := "HMAC"
	if k.RSA {
		signs = "RSA"
	}
	row("signs with", signs)
	if err := w.Flush(); err != nil {
		return err
	}
	return a.flush()
}
