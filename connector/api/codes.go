package api

// The codes of problems that this package reports; the texts stand in the
// catalogue of package problem.
const (
	codeRefused        = "E4000" // no entry of its own: the platform's text as it came
	codeTokenWrong     = "E4001"
	codeTokenExpired   = "E4002"
	codeTokenLikelyKey = "E4003"
	codeTokenMissing   = "E4004"
	codeNoCredit       = "E4005"
	codeNotRegistered  = "E4006"
	codeForbidden      = "E4007"
	codeServiceOff     = "E4008"
	codeWrongAddress   = "E4009"
	codeProxyAuth      = "E4010"
	codeProxyBlocked   = "E4011"
	codeRateLimited    = "E4012"
	codeUnreachable    = "E4013"
	codeCertificate    = "E4014"
	codeUnavailable    = "E4015"
	codeNoAnswer       = "E4016"
	codeBrokenAnswer   = "E4017"
	codeUnclear        = "E4018"
	codeExists         = "E4019"
	codeTooLarge       = "E4020"
	codeFieldMissing   = "E4021"
	codeFieldRefused   = "E4022"
	codeNotEncoded     = "E4023"
	codeTokenHostAway  = "E4024"
	codeKeyRefused     = "E4025"
	codeNotCarried     = "E4030"
	codeUnknownInvoice = "E4031"
	codeReadFailed     = "E4032"
)
