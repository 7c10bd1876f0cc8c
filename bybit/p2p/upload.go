package p2p

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"path"
	"strings"

	"github.com/bywire/bywire/bybit"
)

// UploadFile uploads a file for the chat of an order. Then send its url with
// [Service.SendMessage]. It is sent as a form whose only part is the file, and the whole form is
// signed. V5 page: [p2p/chat/upload-chat-file].
//
// [p2p/chat/upload-chat-file]: https://bybit-exchange.github.io/docs/p2p/chat/upload-chat-file
func (s *Service) UploadFile(ctx context.Context, p *UploadFileParams) (*UploadFileResult, error) {
	body, err := p.Body()
	if err != nil {
		return nil, fmt.Errorf("p2p.UploadFile: %w", err)
	}
	r := new(UploadFileResult)
	if err := s.c.Call(ctx, http.MethodPost, "/v5/p2p/oss/upload_file", body, r); err != nil {
		return nil, err
	}
	return r, nil
}

// UploadFileParams are the parameters of [Service.UploadFile].
type UploadFileParams struct {
	Name        string // of the file, such as receipt.png
	ContentType string // such as image/png; "": by the end of the name, jpg, jpeg, png, pdf or mp4
	Content     []byte
}

// Body is what UploadFile sends: a form whose only part is the file.
func (p *UploadFileParams) Body() (*bybit.Body, error) {
	if p == nil || p.Name == "" || len(p.Content) == 0 {
		return nil, errors.New("a file has a name and a content")
	}
	kind := p.ContentType
	if kind == "" {
		kind = map[string]string{".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".pdf": "application/pdf", ".mp4": "video/mp4"}[strings.ToLower(path.Ext(p.Name))]
	}
	if _, _, err := mime.ParseMediaType(kind); err != nil {
		return nil, fmt.Errorf("the content type of %q: %w", p.Name, err)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("upload_file", p.Name)},
		"Content-Type":        {kind},
	})
	if err != nil {
		return nil, err
	}
	if _, err := part.Write(p.Content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &bybit.Body{ContentType: w.FormDataContentType(), Content: b.Bytes()}, nil
}
