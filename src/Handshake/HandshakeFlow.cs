using System.Diagnostics.CodeAnalysis;
using KTls.Handshake.Crypto;
using KTls.Handshake.Resumption;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>The state machine of one role in one version, which a <see cref="TlsHandshake"/> goes over to once it knows the version.</summary>
internal abstract class HandshakeFlow : IDisposable
{
    protected HandshakeFlow(TlsHandshake handshake) => Handshake = handshake;

    public abstract bool IsTls13 { get; }

    /// <summary>Whether a session is resumed.</summary>
    public abstract bool IsResumed { get; }

    /// <summary>Whether there was a HelloRetryRequest (RFC 8446 §4.1.4).</summary>
    public virtual bool WasRetried => false;

    protected TlsHandshake Handshake { get; }

    protected HandshakeRecords Records => Handshake.Records;

    public abstract void Receive(HandshakeType type, ReadOnlySpan<byte> message);

    /// <summary>TLS 1.2: the peer's next record is sealed with its new keys.</summary>
    public virtual void ReceiveChangeCipherSpec() =>
        throw new TlsAlertException(AlertDescription.UnexpectedMessage, "A change_cipher_spec that is out of place.");

    /// <summary>Goes on after the verdict on the peer's certificate.</summary>
    public abstract void PeerCertificateAccepted();

    /// <summary>Goes on with the signature that <see cref="Sign"/> asked for.</summary>
    public abstract void Signed(ReadOnlySpan<byte> signature);

    public abstract void Dispose();

    /// <summary>Has the credential sign, here and now or in the caller's own time; <see cref="Signed"/> goes on.</summary>
    protected void Sign(CertificateCredential credential, SignatureScheme scheme, ReadOnlySpan<byte> content)
    {
        Handshake.LocalCredential = credential;
        if (credential.SignsAtOnce)
        {
            Signed(credential.Sign(scheme, content));
            return;
        }

        Handshake.SignatureRequest = new SignatureRequest(credential, scheme, content.ToArray());
        Handshake.Status = HandshakeStatus.NeedsSignature;
    }

    /// <summary>
    /// On a server, once the client's Finished has come: whether the caller has to judge the client first. A resumed client is judged
    /// again by the certificate that began its session.
    /// </summary>
    protected bool AsksForVerdict(bool isCertificateRequested, SessionState? resumed)
    {
        if (!isCertificateRequested)
        {
            return false;
        }

        if (resumed is { PeerChain.Length: > 0 })
        {
            Handshake.SetPeerCertificate(resumed.PeerChain);
        }

        Handshake.Status = HandshakeStatus.NeedsCertificateVerdict;
        return true;
    }

    [DoesNotReturn]
    protected static void Unexpected(HandshakeType type) =>
        throw new TlsAlertException(AlertDescription.UnexpectedMessage, $"The message {type} is out of place.");
}
