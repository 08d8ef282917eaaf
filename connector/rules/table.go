package rules

import "einvoice/connector/problem"

const (
	refuse = problem.Refuse
	warn   = problem.Warn
)

// table holds every check, in the order in which people read the results. It is
// never changed.
var table = [...]rule{
	{code: CodeOutOfScope, severity: warn, check: outOfScope, fixed: true, last: true},

	{code: "E3001", official: "BR-02", severity: refuse, check: needNumber, fixed: true},
	{code: "E3002", official: "BR-03", severity: refuse, check: needIssueDate, fixed: true},
	{code: "E3003", official: "BR-05", severity: refuse, check: needCurrency, fixed: true},
	{code: "E3004", official: "BR-FR-10", severity: refuse, check: needSellerID, fixed: true},
	{code: "E3005", severity: refuse, check: sellerIsOurs, fixed: true},
	{code: "E3015", official: "BR-06", severity: refuse, check: needSellerName},
	{code: "E3006", official: "BR-07", severity: refuse, check: needBuyerName},
	{code: "E3007", official: "BR-FR-11", severity: refuse, check: needBuyerSIREN, fixed: true},
	{code: "E3017", official: "BR-FR-11", severity: refuse, check: buyerSIRENInVAT, fixed: true},
	{code: "E3009", official: "BR-FR-12", severity: refuse, check: buyerReachable},
	{code: "E3016", severity: off, check: buyerEmail},
	{code: "E3010", official: "BR-16", severity: refuse, check: needLine, fixed: true},
	{code: "E3011", official: "BR-25", severity: refuse, check: needDescription},
	{code: "E3012", official: "BR-22", severity: refuse, check: needQuantity, fixed: true},
	{code: "E3013", official: "BR-26", severity: refuse, check: needPrice, fixed: true},
	{code: "E3014", official: "BR-CO-04", severity: refuse, check: needRate, fixed: true},

	{code: CodeTooLarge, official: "BR-FR-DEC-01", severity: refuse, check: computable, fixed: true},
	{code: "E3101", official: "PEPPOL-EN16931-R120", severity: refuse, check: lineNet, fixed: true},
	{code: "E3102", official: "BR-CO-13", severity: refuse, check: netTotal, fixed: true},
	{code: "E3109", official: "BR-S-01", severity: refuse, check: rateInBreakdown, fixed: true},
	{code: "E3103", official: "BR-S-08", severity: refuse, check: taxableAmount, fixed: true},
	{code: "E3104", official: "BR-CO-17", severity: refuse, check: taxAmount, fixed: true},
	{code: "E3108", official: "BR-Z-09", severity: refuse, check: noTaxAtZero, fixed: true},
	{code: "E3105", official: "BR-CO-14", severity: refuse, check: taxTotal, fixed: true},
	{code: "E3106", official: "BR-CO-15", severity: refuse, check: grossTotal, fixed: true},
	{code: "E3107", official: "BR-CO-16", severity: refuse, check: payable, fixed: true},
	{code: "E3120", official: "BR-S-09", severity: warn, check: taxDrift},

	{code: "E3201", official: "BR-FR-03", severity: refuse, check: realDates},
	{code: "E3202", official: "BR-FR-03", severity: refuse, check: dateCentury},
	{code: "E3203", official: "BR-FR-CO-07", severity: refuse, check: dueAfterIssue},
	{code: "E3204", official: "G1.07", severity: warn, check: notInFuture},

	{code: "E3301", official: "BR-CL-04", severity: refuse, check: knownCurrency},
	{code: "E3302", official: "BR-CL-14", severity: refuse, check: knownCountry},
	{code: "E3303", official: "BR-FR-04", severity: refuse, check: knownType},
	{code: "E3304", official: "BR-CL-23", severity: warn, check: knownUnit},
	{code: "E3305", official: "BR-FR-15", severity: refuse, check: knownCategory},
	{code: "E3306", official: "BR-FR-08", severity: warn, check: knownFrame},
	{code: "E3307", official: "BR-CL-24", severity: warn, check: knownMIME},

	{code: "E3401", official: "BR-FR-01", severity: refuse, check: numberLength},
	{code: "E3402", official: "BR-FR-02", severity: refuse, check: numberCharacters},

	{code: "E3502", official: "BR-S-05", severity: refuse, check: standardRate},
	{code: "E3503", official: "BR-Z-05", severity: refuse, check: zeroRate},
	{code: "E3504", official: "BR-O-05", severity: refuse, check: outsideRate},
	{code: "E3512", severity: refuse, check: fractionRate},
	{code: "E3501", official: "BR-FR-16", severity: warn, check: frenchRate},
	{code: "E3505", official: "BR-O-11", severity: refuse, check: outsideAlone},
	{code: "E3511", official: "BR-CO-04", severity: warn, check: categoryAtZero},
	{code: "E3506", official: "BR-E-10", severity: warn, check: exemptionReason},
	{code: "E3507", official: "BR-S-10", severity: warn, check: needlessReason},
	{code: "E3508", official: "BR-S-02", severity: warn, check: sellerVAT},
	{code: "E3509", official: "BR-IC-02", severity: refuse, check: buyerVAT},
	{code: "E3510", official: "BR-AE-02", severity: refuse, check: reverseChargeBuyer},

	{code: "E3601", official: "BR-27", severity: refuse, check: positivePrice},
	{code: "E3602", official: "BR-FR-DEC-01", severity: refuse, check: amountDecimals},
	{code: "E3603", official: "BR-FR-DEC-02", severity: refuse, check: quantityDecimals},
	{code: "E3604", official: "BR-FR-DEC-03", severity: refuse, check: priceDecimals},
	{code: "E3605", official: "BR-FR-DEC-04", severity: refuse, check: rateDecimals},
	{code: "E3606", severity: warn, check: positiveCredit},

	{code: "E3701", official: "BR-FR-32", severity: refuse, check: buyerIDShape},
	{code: "E3711", official: "BR-FR-32", severity: refuse, check: buyerIDZeros},
	{code: "E3702", severity: warn, check: sirenKey},
	{code: "E3703", severity: warn, check: siretKey},
	{code: "E3704", official: "BR-CO-09", severity: refuse, check: vatPrefix},
	{code: "E3705", severity: warn, check: frenchVATShape},
	{code: "E3706", severity: warn, check: frenchVATKey},
	{code: "E3707", severity: warn, check: vatOfSIREN},
	{code: "E3708", severity: warn, check: ibanKey},
	{code: "E3709", severity: warn, check: bicShape},
	{code: "E3710", severity: warn, check: emailShape},

	{code: "E3801", official: "BR-FR-CPRO-11", severity: warn, check: serviceCode},
	{code: "E3802", severity: warn, check: publicSIRET},
	{code: "E3803", official: "BR-FR-CPRO-15", severity: warn, check: commitmentLength},
	{code: "E3804", official: "BR-FR-CPRO-02", severity: warn, check: publicNumberLength},

	{code: "E3901", official: "BR-FR-CO-05", severity: warn, check: preceding},
}
