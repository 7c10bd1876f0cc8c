package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// announcedFor is how long an announcement is shown (choice).
const announcedFor = 90 * 24 * int64(time.Hour)

// announcements answers announcements/index. What the exchange has to announce are its own contracts: those that were
// listed and those that were delivered, options of one expiry together. The texts are English in every language.
func announcements(v *view) (result, *Refusal) {
	var p bybit.PlatformAnnouncementsParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	page, n := p.Page.Or(1), p.Limit.Or(20)
	if !slices.Contains(locales, p.Locale) || page < 1 || n < 1 {
		return nil, refuse(wrongRequest)
	}
	n = min(n, maxAnnouncements)
	var list []announced
	for _, in := range v.Catalog().Live() {
		list = addAnnounced(list, in, in.Listed, v.now)
	}
	for _, in := range v.Catalog().Delivered() {
		list = addAnnounced(list, in, in.Listed, v.now)
		list = addAnnounced(list, in, in.Delivery, v.now)
	}
	slices.SortStableFunc(list, func(a, b announced) int { return cmp.Compare(b.at, a.at) })
	r := &bybit.PlatformAnnouncementsResult{List: []bybit.Announcement{}}
	skipped := 0
	for i := range list {
		a := list[i].announcement()
		if p.Type != "" && a.Type.Key != p.Type || p.Tag != "" && !slices.Contains(a.Tags, p.Tag) {
			continue
		}
		r.Total++
		if skipped/n < page-1 {
			skipped++
		} else if len(r.List) < n {
			r.List = append(r.List, a)
		}
	}
	return r, nil
}

// maxAnnouncements bounds a page (choice; the documentation has no bound).
const maxAnnouncements = 1000

// locales are the languages that can be asked for. V5 page announcement.
var locales = []bybit.Locale{
	bybit.LocaleDE, bybit.LocaleEN, bybit.LocaleESAR, bybit.LocaleES, bybit.LocaleESMX, bybit.LocaleFR, bybit.LocaleKK,
	bybit.LocaleID, bybit.LocaleUK, bybit.LocaleJA, bybit.LocaleRU, bybit.LocaleTH, bybit.LocalePT, bybit.LocaleTR,
	bybit.LocaleVI, bybit.LocaleZH, bybit.LocaleAR, bybit.LocaleHI, bybit.LocaleFIL,
}

// announced is one listing or delivery.
type announced struct {
	at   int64
	of   *catalog.Instrument
	name string
	ends bool
}

// addAnnounced adds the listing or the delivery of an instrument, unless it is too old or stands there for an option
// of the same expiry: the earliest counts.
func addAnnounced(list []announced, in *catalog.Instrument, at, now int64) []announced {
	if at <= now-announcedFor || at > now || at == 0 {
		return list
	}
	a := announced{at: at, of: in, name: in.Symbol, ends: at == in.Delivery}
	if in.Kind == catalog.Option {
		a.name = in.Base + " " + strings.ToUpper(time.Unix(0, in.Delivery).UTC().Format("2Jan06")) + " options (" + in.Settle + ")"
		if i := slices.IndexFunc(list, func(b announced) bool { return b.name == a.name && b.ends == a.ends }); i >= 0 {
			list[i].at = min(list[i].at, at)
			return list
		}
	}
	return append(list, a)
}

// tagsByKind are the labels of announcements. V5 page enum, announcementTag.
func tagsOf(in *catalog.Instrument) []bybit.AnnouncementTag {
	tags := []bybit.AnnouncementTag{bybit.AnnouncementTagDerivatives}
	switch in.Kind {
	case catalog.Spot:
		tags = []bybit.AnnouncementTag{bybit.AnnouncementTagSpot, bybit.AnnouncementTagSpotListings}
	case catalog.Option:
		tags = append(tags, bybit.AnnouncementTagOptions)
	case catalog.Future, catalog.Perpetual:
		tags = append(tags, bybit.AnnouncementTagFutures)
	}
	if in.Base == "BTC" || in.Base == "ETH" {
		tags = append(tags, bybit.AnnouncementTag(in.Base))
	}
	return tags
}

func (a *announced) announcement() bybit.Announcement {
	at := timeOf(a.at)
	n := bybit.Announcement{Date: at, PublishTime: at, StartDateTimestamp: at, EndDateTimestamp: at, Tags: tagsOf(a.of)}
	day := at.Format("2 January 2006, 15:04 UTC")
	if a.ends {
		n.Title = "Delivery of " + a.name
		n.Description = a.name + " expired on " + day + "."
		n.Type = bybit.AnnouncementKind{Title: "Delistings", Key: bybit.AnnouncementDelistings}
		n.Tags = append(n.Tags, bybit.AnnouncementTagDelistings)
		return n
	}
	n.Title = "New Listing: " + a.name
	n.Description = a.name + " can be traded since " + day + "."
	n.Type = bybit.AnnouncementKind{Title: "New Listings", Key: bybit.AnnouncementNewCrypto}
	return n
}
