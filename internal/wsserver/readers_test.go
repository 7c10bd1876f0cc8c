//go:build linux || darwin

package wsserver_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wsframe"
)

// The readers of the benchmarks live in another process, so that what they cost is not counted. That process is
// this test binary, started again with this variable: "ADDRESS PATH CONNECTIONS".
const readersEnv = "BYWIRE_WSSERVER_READERS"

func TestMain(m *testing.M) {
	if job := os.Getenv(readersEnv); job != "" {
		if err := beReaders(job); err != nil {
			fmt.Fprintln(os.Stderr, "readers:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beReaders connects, says "ready", reads until the server closes, and prints how many bytes came after the handshakes.
// On the path of a channel it subscribes first.
func beReaders(job string) error {
	words := strings.Fields(job)
	n, err := strconv.Atoi(words[2])
	if err != nil {
		return err
	}
	raiseFiles()
	var total atomic.Int64
	var wg sync.WaitGroup
	for range n {
		conn, err := net.Dial("tcp", words[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(conn, handshakeText, words[1], "websocket")
		br := bufio.NewReaderSize(conn, 1024)
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			return fmt.Errorf("handshake: %v %v", resp, err)
		}
		if strings.HasPrefix(words[1], "/v5/") {
			conn.Write(wsframe.AppendMasked(nil, ws.OpText, [4]byte{1, 2, 3, 4}, []byte(`{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}`)))
			// The acknowledgement is the sign that the connection is joined.
			r := wsframe.NewReader(br, 0, 1<<16, false)
			if _, _, err := r.Next(); err != nil {
				return err
			}
			total.Add(int64(r.Buffered()))
		}
		total.Add(int64(br.Buffered()))
		wg.Go(func() {
			buf := make([]byte, 16<<10)
			for {
				n, err := conn.Read(buf)
				total.Add(int64(n))
				if err != nil {
					conn.Close()
					return
				}
			}
		})
	}
	fmt.Println("ready")
	wg.Wait()
	fmt.Println(total.Load())
	return nil
}

// raiseFiles allows as many open files as the system lets this user have.
func raiseFiles() {
	var lim syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim) == nil {
		lim.Cur = lim.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lim)
	}
}

// readers is the other process.
type readers struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

// startReaders returns when all connections stand and, on a channel's path, are subscribed.
func startReaders(tb testing.TB, addr, path string, n int) *readers {
	tb.Helper()
	raiseFiles()
	exe, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", readersEnv, addr, path, n))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	r := &readers{cmd: cmd, out: bufio.NewReader(pipe)}
	if line, err := r.out.ReadString('\n'); line != "ready\n" {
		tb.Fatalf("readers: %q %v", line, err)
	}
	return r
}

// total waits for the end of the process and returns how many bytes it read.
func (r *readers) total(tb testing.TB) int64 {
	tb.Helper()
	rest, err := io.ReadAll(r.out)
	if err != nil {
		tb.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(rest)), 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// cpu is the time this process has used, in the kernel too.
func cpu(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
