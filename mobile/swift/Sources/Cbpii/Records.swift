import CbpiiGenerated

// What is used as it is generated, under the name of this module.
public typealias AccountScheme = CbpiiGenerated.AccountScheme
public typealias Advice = CbpiiGenerated.Advice
public typealias BankFacts = CbpiiGenerated.BankFacts
public typealias CertificateReport = CbpiiGenerated.CertificateReport
public typealias CertificateUse = CbpiiGenerated.CertificateUse
public typealias ConsentEvent = CbpiiGenerated.ConsentEvent
public typealias ConsentMoment = CbpiiGenerated.ConsentMoment
public typealias ConsentState = CbpiiGenerated.ConsentState
public typealias ConsentStatus = CbpiiGenerated.ConsentStatus
public typealias DistinguishedName = CbpiiGenerated.DistinguishedName
public typealias DueRecord = CbpiiGenerated.DueRecord
public typealias Environment = CbpiiGenerated.Environment
public typealias ErrorKind = CbpiiGenerated.ErrorKind
public typealias Event = CbpiiGenerated.Event
public typealias ExplainedHeader = CbpiiGenerated.ExplainedHeader
public typealias Explanation = CbpiiGenerated.Explanation
public typealias Finding = CbpiiGenerated.Finding
public typealias FundsConfirmation = CbpiiGenerated.FundsConfirmation
public typealias NextAction = CbpiiGenerated.NextAction
public typealias Operation = CbpiiGenerated.Operation
public typealias PsuContext = CbpiiGenerated.PsuContext
public typealias RenewalDue = CbpiiGenerated.RenewalDue
public typealias RenewalReason = CbpiiGenerated.RenewalReason
public typealias RequestSent = CbpiiGenerated.RequestSent
public typealias ResponseSignature = CbpiiGenerated.ResponseSignature
public typealias Severity = CbpiiGenerated.Severity
public typealias SignatureAlgorithm = CbpiiGenerated.SignatureAlgorithm
public typealias Standard = CbpiiGenerated.Standard
public typealias StoredRecord = CbpiiGenerated.StoredRecord
public typealias TrustMode = CbpiiGenerated.TrustMode
