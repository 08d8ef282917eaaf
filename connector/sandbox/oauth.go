package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// token is a credential that was minted here.
type token struct {
	Token   string         `json:"token"`
	Name    string         `json:"name"`
	Created time.Time      `json:"createdAt"`
	Expires time.Time      `json:"expireAt"`
	Scopes  []string       `json:"scopes"`
	Refresh string         `json:"refreshToken"`
	Limits  *tokenLimits   `json:"limits"`
	Stats   map[string]int `json:"stats"`
}

type tokenLimits struct {
	Requests int `json:"totalRequests,omitempty"`
}

// tokenRequest is the body of POST and PATCH, of both versions.
type tokenRequest struct {
	Scopes []string     `json:"scopes"`
	Name   string       `json:"name"`
	TTL    int64        `json:"ttl"` // seconds; v1 has "expire", a time
	Expire int64        `json:"expire"`
	Limits *tokenLimits `json:"limits"`
}

// The times that a token may live.
const (
	usualTTL   = 30 * 24 * time.Hour
	longestTTL = 365 * 24 * time.Hour
)

// oauth answers the token service, which the platform has on another host, and
// the account's pages. It asks for Basic e-mail and API key; any pair is good.
func (s *Sandbox) oauth(mux *http.ServeMux) {
	for pattern, do := range map[string]func(w http.ResponseWriter, r *http.Request){
		"POST /token":              s.mintOld,
		"POST /tokens":             s.mint,
		"GET /tokens":              s.listTokens,
		"GET /tokens/{token}":      s.withToken(func(t *token) any { return t }),
		"DELETE /tokens/{token}":   s.withToken(s.forgetToken),
		"GET /wallet":              s.wallet,
		"GET /wallet/transactions": s.transactions,
		"GET /scopes":              showScopes,
		"GET /callbacks":           s.callbackLog,
		"GET /callbacks/{id}":      s.callbackEntry,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if user, key, basic := r.BasicAuth(); !basic || user == "" || key == "" {
				write(w, http.StatusUnauthorized, "application/json", reply{body: canned(http.StatusUnauthorized)}.bytes())
				return
			}
			do(w, r)
		})
	}
	mux.HandleFunc("PATCH /tokens/{token}", s.renew) // with the refresh token as bearer
}

func answerData(w http.ResponseWriter, data any) {
	write(w, http.StatusOK, "application/json", ok(data).bytes())
}

func (s *Sandbox) mint(w http.ResponseWriter, r *http.Request) {
	if t, fine := s.minted(w, r); fine {
		answerData(w, t)
	}
}

// mintOld is version 1: its answer has no envelope.
func (s *Sandbox) mintOld(w http.ResponseWriter, r *http.Request) {
	if t, fine := s.minted(w, r); fine {
		writeJSON(w, http.StatusOK, map[string]any{
			"scopes": t.Scopes, "token": t.Token, "expire": t.Expires.Unix(), "success": true, "message": "", "error": nil,
		})
	}
}

func (s *Sandbox) minted(w http.ResponseWriter, r *http.Request) (token, bool) {
	var b tokenRequest
	if !readJSON(w, r, &b) {
		return token{}, false
	}
	if wrong := slices.IndexFunc(b.Scopes, func(scope string) bool { return !plausibleScope(scope) }); len(b.Scopes) == 0 || wrong >= 0 {
		write(w, http.StatusUnprocessableEntity, "application/json",
			fail(http.StatusUnprocessableEntity, 422, "scopes: METHOD:host/path expected, one at least").bytes())
		return token{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.newToken(b, s.opt.Now())
	return *t, true
}

// newToken keeps a new token. The caller holds mu.
func (s *Sandbox) newToken(b tokenRequest, now time.Time) *token {
	life := time.Duration(b.TTL) * time.Second
	if b.Expire > 0 {
		life = time.Unix(b.Expire, 0).Sub(now)
	}
	if b.TTL > int64(longestTTL/time.Second) {
		life = longestTTL
	}
	if life <= 0 {
		life = usualTTL
	}
	if s.opt.TokenTTL > 0 {
		life = min(life, s.opt.TokenTTL)
	}
	t := &token{Token: newID(now), Refresh: newID(now), Name: b.Name, Created: now, Expires: now.Add(min(life, longestTTL)),
		Scopes: b.Scopes, Limits: b.Limits, Stats: map[string]int{"totalRequests": 0}}
	s.tokens[t.Token] = t
	s.remember(entry{Token: t})
	return t
}

// renew is PATCH with the refresh token: a new pair comes, the old one goes.
func (s *Sandbox) renew(w http.ResponseWriter, r *http.Request) {
	var b tokenRequest
	if !readJSON(w, r, &b) {
		return
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	old := s.tokens[r.PathValue("token")]
	if old == nil || bearer == "" || bearer != old.Refresh {
		s.mu.Unlock()
		write(w, http.StatusUnauthorized, "application/json", reply{body: canned(http.StatusUnauthorized)}.bytes())
		return
	}
	s.dropToken(old.Token)
	b.Scopes, b.Name = old.Scopes, cmp.Or(b.Name, old.Name)
	b.Limits = cmp.Or(b.Limits, old.Limits)
	t := *s.newToken(b, s.opt.Now())
	s.mu.Unlock()
	answerData(w, t)
}

func (s *Sandbox) listTokens(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	list := make([]token, 0, len(s.tokens))
	for _, t := range s.tokens {
		list = append(list, *t)
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b token) int { return strings.Compare(a.Token, b.Token) })
	answerData(w, list)
}

func (s *Sandbox) withToken(do func(*token) any) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		t := s.tokens[r.PathValue("token")]
		var data any
		if t != nil {
			copied := *t
			data = do(&copied)
		}
		s.mu.Unlock()
		if t == nil {
			write(w, http.StatusNotFound, "application/json", fail(http.StatusNotFound, 404, "Token not found").bytes())
			return
		}
		answerData(w, data)
	}
}

func (s *Sandbox) forgetToken(t *token) any {
	s.dropToken(t.Token)
	return nil
}

// dropToken makes a token worthless. The caller holds mu.
func (s *Sandbox) dropToken(name string) {
	delete(s.tokens, name)
	s.remember(entry{Forgotten: name})
}

// credential judges the bearer of a request: nil when it is good. The caller
// holds mu.
func (s *Sandbox) credential(r *http.Request) *envelope {
	wrong := canned(http.StatusUnauthorized)
	bearer, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !isBearer || bearer == "" {
		return &wrong
	}
	t := s.tokens[bearer]
	if t == nil {
		if s.opt.OnlyMinted || len(s.opt.Tokens) > 0 && !slices.Contains(s.opt.Tokens, bearer) {
			return &wrong
		}
		return nil
	}
	t.Stats["totalRequests"]++
	if t.Limits != nil { // else the number decides nothing, and is not kept
		s.remember(entry{Token: t})
	}
	switch {
	case !t.Expires.After(s.opt.Now()):
		return &envelope{Success: false, Message: "Expired Token", Error: 125}
	case !slices.ContainsFunc(t.Scopes, func(scope string) bool { return covers(scope, r) }):
		return &wrong // the platform says no more of a scope that is missing
	case t.Limits != nil && t.Limits.Requests > 0 && t.Stats["totalRequests"] > t.Limits.Requests:
		return &envelope{Success: false, Message: "Token limits reached: totalRequests", Error: 125}
	}
	return nil
}

func plausibleScope(scope string) bool {
	method, place, found := strings.Cut(scope, ":")
	return found && method != "" && strings.Contains(place, "/")
}

// covers tells whether a scope, METHOD:host/path, allows a request. A path
// stands for what is below it, a last {id} for any id. The platform's own test
// host stands for this one, so that a client keeps its scopes.
func covers(scope string, r *http.Request) bool {
	method, place, _ := strings.Cut(scope, ":")
	if method != r.Method && method != "*" {
		return false
	}
	slash := strings.LastIndex(place, "/")
	host, path := place[:max(slash, 0)], place[max(slash, 0):]
	if strings.HasPrefix(path, "/{") {
		slash = strings.LastIndex(host, "/")
		host, path = host[:max(slash, 0)], host[max(slash, 0):]
	}
	return (host == r.Host || host == "*" || host == "test.invoice.openapi.com") && (r.URL.Path == path || strings.HasPrefix(r.URL.Path, path+"/"))
}

func showScopes(w http.ResponseWriter, r *http.Request) {
	var list []string
	for _, scope := range []string{"GET FR-invoices", "POST FR-invoices", "GET FR-configurations", "POST FR-configurations", "PATCH FR-configurations",
		"DELETE FR-configurations", "GET IT-invoices", "GET IT-configurations", "POST IT-configurations", "PATCH IT-configurations"} {
		method, path, _ := strings.Cut(scope, " ")
		list = append(list, method+":"+r.Host+"/"+path)
	}
	answerData(w, list)
}
