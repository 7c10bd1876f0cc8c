module github.com/bywire/bywire/bench

go 1.26.0

replace github.com/bywire/bywire => ../

require (
	github.com/bybit-exchange/bybit.go.api v0.0.0-20250727214011-c9347d6804d6
	github.com/hirokisan/bybit/v2 v2.36.0
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/ws v1.5.0 // indirect
)

require (
	github.com/bitly/go-simplejson v0.5.1 // indirect
	github.com/bywire/bywire v0.0.0-00010101000000-000000000000
	github.com/google/go-querystring v1.1.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.2 // indirect
)
