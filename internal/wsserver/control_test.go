package wsserver_test

import (
	"testing"
	"testing/synctest"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{ConnID: named})
		ln, stop := serve(f.srv)
		c := dial(t, ln, wire.Linear)
		c.send(`{"op":"ping","req_id":7}`)
		c.want(`{"success":true,"ret_msg":"pong","conn_id":"c-1","req_id":"7","op":"ping"}`)
		c.send(`{"op":"subscribe","args":["tickers.BTCUSDT"]}`)
		c.want(`{"success":true,"ret_msg":"","conn_id":"c-1","req_id":"","op":"subscribe"}`)
		c.want(`{"topic":"tickers.BTCUSDT","type":"snapshot","n":0}`)
		f.do(func() { f.publish(t.Context(), wire.Linear, "tickers.BTCUSDT") })
		c.want(`{"topic":"tickers.BTCUSDT","type":"delta","n":1}`)
		go f.srv.Close(t.Context(), 1000, "end of capture")
		c.want("close 1000 end of capture")
		c.conn.Close()
		synctest.Wait()
		stop()
		f.stop()
	})
}
