package main

import (
	"go/token"
	"regexp"
	"strings"
	"unicode"
)

// initialisms are the words that Go writes in capitals, and others of this trade that
// are written in a way of their own.
var initialisms = map[string]string{
	"adl": "ADL", "api": "API", "apis": "APIs", "apr": "APR", "apy": "APY", "btc": "BTC", "cny": "CNY", "db": "DB", "dcp": "DCP",
	"eth": "ETH", "eur": "EUR", "http": "HTTP", "https": "HTTPS", "id": "ID", "ids": "IDs", "im": "IM", "imr": "IMR",
	"ip": "IP", "ips": "IPs", "iv": "IV", "json": "JSON", "kyc": "KYC", "ltv": "LTV", "mm": "MM", "mmp": "MMP",
	"mmr": "MMR", "nav": "NAV", "nft": "NFT", "oco": "OCO", "otc": "OTC", "pm": "PM", "pnl": "PnL", "qr": "QR",
	"rfq": "RFQ", "roi": "ROI", "rpi": "RPI", "rsa": "RSA", "smp": "SMP", "sl": "SL", "tp": "TP", "tpsl": "TPSL",
	"tx": "Tx", "uid": "UID", "uids": "UIDs", "ui": "UI", "url": "URL", "usd": "USD", "usdc": "USDC", "usdt": "USDT",
	"uta": "UTA", "vasp": "VASP", "vip": "VIP",
}

// glossary are the fields whose names differ from the wire's everywhere.
var glossary = map[string]string{
	"orderLinkId": "LinkID",
	"ret_code":    "RetCode",
}

var (
	lowerUpper = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	upperWord  = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`)
	noLetter   = regexp.MustCompile(`[^A-Za-z0-9]+`)
)

// words splits a name of the wire: "orderLinkId" is order, Link, Id.
func words(name string) []string {
	name = noLetter.ReplaceAllString(name, " ")
	name = lowerUpper.ReplaceAllString(name, "$1 $2")
	name = upperWord.ReplaceAllString(name, "$1 $2")
	return strings.Fields(name)
}

// GoName makes an exported name of one of the wire.
func GoName(name string) string {
	if g, ok := glossary[name]; ok {
		return g
	}
	var b strings.Builder
	for _, w := range words(name) {
		if known, ok := initialisms[strings.ToLower(w)]; ok {
			b.WriteString(known)
			continue
		}
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

// exported reports whether the name can be that of an exported thing.
func exported(name string) bool { return token.IsIdentifier(name) && token.IsExported(name) }

// FileName makes the name of a file, or a part of it: "InstrumentsInfo" is
// "instruments_info".
func FileName(name string) string {
	return strings.ToLower(strings.Join(words(name), "_"))
}

// lowerFirst makes the beginning of a sentence the middle of one. Names and
// abbreviations keep their capitals.
func lowerFirst(s string) string {
	word, _, _ := strings.Cut(s, " ")
	word = strings.TrimRight(word, ".,;:")
	runes := []rune(word)
	if alternatives.MatchString(s) {
		return s
	}
	if len(runes) == 0 || !unicode.IsUpper(runes[0]) {
		return s
	}
	for _, r := range runes[1:] {
		if !unicode.IsLower(r) && r != '\'' && r != '-' {
			return s
		}
	}
	if len(runes) == 1 && word != "A" || proper[strings.TrimSuffix(word, "'s")] {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// alternatives are values that a text lists, as the wire spells them.
var alternatives = regexp.MustCompile(`^[A-Z]\w*(, [A-Z]\w*)* or [A-Z]`)

// proper are names that stand at the beginning of texts.
var proper = map[string]bool{
	"Bybit": true, "Unix": true, "Paradigm": true, "India": true, "Monday": true, "Greek": true, "Greeks": true,
	"Ethereum": true, "Bitcoin": true, "Solana": true, "Telegram": true, "Kazakhstan": true,
}
