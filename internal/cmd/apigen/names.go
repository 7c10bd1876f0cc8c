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
	"adl": "ADL", "api": "API", "apikey": "APIKey", "apis": "APIs", "apr": "APR", "apy": "APY", "aum": "AUM", "bbo": "BBO",
	"btc": "BTC", "cny": "CNY", "db": "DB", "dca": "DCA", "dcp": "DCP", "ddh": "DDH", "defi": "DeFi", "eth": "ETH", "eur": "EUR",
	"fx": "FX", "http": "HTTP", "https": "HTTPS", "id": "ID", "ids": "IDs", "im": "IM", "imr": "IMR", "ip": "IP", "ips": "IPs",
	"iv": "IV", "json": "JSON", "kyc": "KYC", "lp": "LP", "ltv": "LTV", "mcc": "MCC", "mm": "MM", "mmp": "MMP", "mmr": "MMR",
	"mnt": "MNT", "nav": "NAV", "nft": "NFT", "oco": "OCO", "oi": "OI", "otc": "OTC", "pdf": "PDF", "pm": "PM", "pnl": "PnL",
	"pnls": "PnLs", "poi": "POI", "pov": "POV", "pwm": "PWM", "qr": "QR", "qrcode": "QRCode", "rfq": "RFQ", "roi": "ROI",
	"rpi": "RPI", "rpl": "RPL", "rsa": "RSA", "smp": "SMP", "sl": "SL", "st": "ST", "subuid": "SubUID", "tp": "TP", "tpsl": "TPSL",
	"tradfi": "TradFi", "tvl": "TVL", "twap": "TWAP", "tx": "Tx", "uid": "UID", "uids": "UIDs", "ui": "UI", "upl": "UPL",
	"url": "URL", "usd": "USD", "usdc": "USDC", "usdt": "USDT", "uta": "UTA", "uuid": "UUID", "vasp": "VASP", "vip": "VIP",
	"xstock": "XStock",
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
	if alternatives.MatchString(s) && word != "This" {
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
