package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
	"strings"
)

// The bytes of a segment are described in docs/capture-format.md. All numbers
// are little-endian; all sums are CRC-32C.
const (
	fileMagic    = "\x89BYWIRE\n"
	blockMagic   = "\xb1BWB"
	trailerMagic = "BYWEND\x89\n"

	formatVersion = 1

	fileHeaderSize  = 64
	blockHeaderSize = 64
	trailerSize     = 32

	// maxBlock bounds what a reader allocates for one block: a full block
	// plus one record of MaxData and the definitions it needs.
	maxBlock = MaxData + 4<<20
)

// Codecs: how a block's payload is stored.
const (
	codecRaw  = 0 // as it is
	codecZstd = 1 // one zstd frame
	codecDict = 2 // one zstd frame that needs the segment's dictionary
)

// ErrVersion means that a segment was written by a later version of the
// format than this package reads.
var ErrVersion = errors.New("unknown version of the capture format")

// errInvalid is the reason behind a header that does not check out. It never
// leaves the package: callers turn it into damage or a torn tail.
var errInvalid = errors.New("invalid header")

// castagnoli returns the table of CRC-32C; crc32 caches it.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// fileHeader opens every segment.
type fileHeader struct {
	Sealed  bool
	Segment uint32
	// Salt is drawn at random per segment and repeated in each block, so that
	// a frame that happens to contain a block of another capture can never be
	// taken for a block of this one.
	Salt    uint64
	Seq     uint64 // of the first record
	Created int64  // Unix nanoseconds
	Records uint64 // sealed segments: records in the segment
	DictLen uint32 // sealed segments: stored length of the dictionary that follows
	DictRaw uint32 // its length unpacked
	DictSum uint32 // sum of its stored bytes
}

func (h *fileHeader) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, fileMagic...)
	sealed := byte(0)
	if h.Sealed {
		sealed = 1
	}
	dst = append(dst, formatVersion, sealed, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, h.Segment)
	dst = binary.LittleEndian.AppendUint64(dst, h.Salt)
	dst = binary.LittleEndian.AppendUint64(dst, h.Seq)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.Created))
	dst = binary.LittleEndian.AppendUint64(dst, h.Records)
	dst = binary.LittleEndian.AppendUint32(dst, h.DictLen)
	dst = binary.LittleEndian.AppendUint32(dst, h.DictRaw)
	dst = binary.LittleEndian.AppendUint32(dst, h.DictSum)
	return binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
}

// parseFileHeader reads a header. The error is ErrVersion for a whole header
// of a later version, errInvalid otherwise.
func parseFileHeader(b []byte) (fileHeader, error) {
	var h fileHeader
	if len(b) < fileHeaderSize || string(b[:8]) != fileMagic ||
		binary.LittleEndian.Uint32(b[60:]) != checksum(b[:60]) {
		return h, errInvalid
	}
	if b[8] != formatVersion {
		return h, fmt.Errorf("version %d, this program reads %d: %w", b[8], formatVersion, ErrVersion)
	}
	h.Sealed = b[9] == 1
	h.Segment = binary.LittleEndian.Uint32(b[12:])
	h.Salt = binary.LittleEndian.Uint64(b[16:])
	h.Seq = binary.LittleEndian.Uint64(b[24:])
	h.Created = int64(binary.LittleEndian.Uint64(b[32:]))
	h.Records = binary.LittleEndian.Uint64(b[40:])
	h.DictLen = binary.LittleEndian.Uint32(b[48:])
	h.DictRaw = binary.LittleEndian.Uint32(b[52:])
	h.DictSum = binary.LittleEndian.Uint32(b[56:])
	return h, nil
}

// blockHeader opens every block. It carries all a scan needs, so that an open
// segment is indexed without unpacking it.
type blockHeader struct {
	Codec   uint8
	Salt    uint64
	Segment uint32
	Count   uint32 // records in the block, definitions of connections not counted
	Seq     uint64 // of the first record
	First   int64  // earliest receive time, Unix nanoseconds
	Last    int64  // latest receive time
	Stored  uint32 // length of the payload as stored
	Raw     uint32 // length of the payload unpacked
	Sum     uint32 // of the payload as stored
}

// put writes the header into the first blockHeaderSize bytes of b.
func (h *blockHeader) put(b []byte) {
	copy(b, blockMagic)
	b[4], b[5], b[6], b[7] = h.Codec, 0, 0, 0
	binary.LittleEndian.PutUint64(b[8:], h.Salt)
	binary.LittleEndian.PutUint32(b[16:], h.Segment)
	binary.LittleEndian.PutUint32(b[20:], h.Count)
	binary.LittleEndian.PutUint64(b[24:], h.Seq)
	binary.LittleEndian.PutUint64(b[32:], uint64(h.First))
	binary.LittleEndian.PutUint64(b[40:], uint64(h.Last))
	binary.LittleEndian.PutUint32(b[48:], h.Stored)
	binary.LittleEndian.PutUint32(b[52:], h.Raw)
	binary.LittleEndian.PutUint32(b[56:], h.Sum)
	binary.LittleEndian.PutUint32(b[60:], checksum(b[:60]))
}

// parseBlockHeader reads a block's header; false if it is none or cannot be
// meant.
func parseBlockHeader(b []byte) (blockHeader, bool) {
	var h blockHeader
	if len(b) < blockHeaderSize || string(b[:4]) != blockMagic ||
		binary.LittleEndian.Uint32(b[60:]) != checksum(b[:60]) {
		return h, false
	}
	h.Codec = b[4]
	h.Salt = binary.LittleEndian.Uint64(b[8:])
	h.Segment = binary.LittleEndian.Uint32(b[16:])
	h.Count = binary.LittleEndian.Uint32(b[20:])
	h.Seq = binary.LittleEndian.Uint64(b[24:])
	h.First = int64(binary.LittleEndian.Uint64(b[32:]))
	h.Last = int64(binary.LittleEndian.Uint64(b[40:]))
	h.Stored = binary.LittleEndian.Uint32(b[48:])
	h.Raw = binary.LittleEndian.Uint32(b[52:])
	h.Sum = binary.LittleEndian.Uint32(b[56:])
	return h, h.Stored <= maxBlock && h.Raw <= maxBlock && h.Count > 0 && h.Seq > 0 && h.Seq+uint64(h.Count) > h.Seq
}

// File names: the number in ten digits, so that names sort as numbers do.
const (
	openExt   = ".open" // being written, or waiting to be sealed
	sealedExt = ".seg"  // complete, compressed, indexed
	tempExt   = ".tmp"  // a sealing in progress; worth nothing after a crash
	lockName  = "lock"
)

func segmentPath(dir string, number uint32, ext string) string {
	return filepath.Join(dir, fmt.Sprintf("%010d%s", number, ext))
}

// parseSegmentName is the reverse of segmentPath for one name.
func parseSegmentName(name string) (number uint32, ext string, ok bool) {
	digits, ext, found := strings.Cut(name, ".")
	n, err := strconv.ParseUint(digits, 10, 32)
	if !found || err != nil || n == 0 || len(digits) != 10 {
		return 0, "", false
	}
	ext = "." + ext
	return uint32(n), ext, ext == openExt || ext == sealedExt || ext == tempExt
}
