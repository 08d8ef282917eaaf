package sandbox

// schedule plans an outgoing invoice's next phase. The caller holds mu, or
// nobody else knows the sandbox yet.
func (s *Sandbox) schedule(r *record) {
	if len(r.ahead()) > 0 {
		s.at(s.opt.Now().Add(s.step()), task{invoice: r, phase: r.Phases})
	}
}

// live takes an invoice into its next phase. The caller holds mu.
func (s *Sandbox) live(r *record) {
	ahead := r.ahead()
	if len(ahead) == 0 {
		return
	}
	r.Phases++
	s.move(r, ahead[0])
	if ahead[0].arrives {
		s.arrive(r)
	}
	if ahead[0].mails {
		s.mail(*r)
	}
	s.schedule(r)
}

// move gives an invoice its new state and calls its company back. The caller holds mu.
func (s *Sandbox) move(r *record, to phase) {
	r.State, r.External, r.ReasonCode, r.Reason = to.state, to.external, to.reasonCode, to.reason
	if to.network != "" {
		r.Network = to.network
	}
	bare := *r
	bare.Raw = nil
	s.remember(entry{State: &bare})
	s.opt.Log("sandbox: invoice %s %s is %s %s %s", r.Number, r.ID, r.State, r.External, r.ReasonCode)
	s.callBack(*r, s.opt.Now())
}

// arrive puts a delivered invoice before its recipient, when that is a company
// of this sandbox that receives supplier invoices: own id, own direction.
func (s *Sandbox) arrive(r *record) {
	p, err := parse(r.Raw)
	if err != nil || p.Recipient.FiscalID == "" {
		return
	}
	to := s.store.company(p.Recipient.FiscalID)
	if to == nil || !to.SupplierInvoice {
		return
	}
	now := s.opt.Now()
	s.receive(to, &record{
		ID: newID(now), Incoming: true, Number: p.Number, Type: p.kind(), IssueDate: p.IssueDate, Created: now,
		State: "RECEIVED", External: "made_available", Network: r.Network, From: r.ID, Raw: r.Raw,
	})
}

// receive gives an incoming invoice to its company and calls it. The caller holds mu.
func (s *Sandbox) receive(to *company, in *record) *record {
	in.Owner = to.FiscalID
	s.keep(in)
	s.remember(entry{Invoice: in})
	s.callBack(*in, in.Created)
	return in
}

func (p posted) kind() string {
	if p.Type == "" {
		return "380"
	}
	return p.Type
}
