using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>
/// What calls a handshake: it answers what the handshake asks for, and where a script says so does first what it must not do.
/// </summary>
internal sealed class Caller(End end, Script? script, ServerHandshakeOptions options)
{
    /// <summary>How many ways there are to call out of turn.</summary>
    public const int Missteps = 6;

    /// <summary>Whether it has done anything that keeps the handshake from completing.</summary>
    public bool HasErred { get; private set; }

    /// <summary>Answers until the handshake waits for the peer again.</summary>
    /// <exception cref="TlsAlertException">The handshake has failed.</exception>
    public void Answer()
    {
        while (true)
        {
            int step = script?.Next() ?? 0;
            if (step % 32 == 31)
            {
                HasErred = true;
                end.Handshake.Fail((AlertDescription)script!.Next());
            }
            else if (step % 4 == 3)
            {
                Misstep(step / 4);
            }

            switch (end.Handshake.Status)
            {
                case HandshakeStatus.NeedsServerOptions:
                    ((ServerHandshake)end.Handshake).Accept(options);
                    break;
                case HandshakeStatus.NeedsCertificateVerdict:
                    BrokenPromiseException.ThrowUnless(end.IsServer || end.Handshake.PeerCertificate is not null, "a client is asked about a certificate");
                    end.Handshake.AcceptPeerCertificate();
                    break;
                case HandshakeStatus.NeedsSignature:
                    end.Handshake.ProvideSignature(Sign(end.Handshake.SignatureRequest!));
                    break;
                default:
                    return;
            }
        }
    }

    /// <summary>A step that the handshake does not wait for is refused, and changes nothing.</summary>
    public void Misstep(int which)
    {
        TlsHandshake handshake = end.Handshake;
        HandshakeStatus status = handshake.Status;
        byte[] output = handshake.Output.ToArray();
        try
        {
            switch (which % Missteps)
            {
                case 0 when status != HandshakeStatus.Complete || end.IsComplete:
                    handshake.TakeSession();
                    break;
                case 1 when status != HandshakeStatus.NeedsCertificateVerdict:
                    handshake.AcceptPeerCertificate();
                    break;
                case 2 when status != HandshakeStatus.NeedsSignature:
                    handshake.ProvideSignature([1]);
                    break;
                case 3 when status != HandshakeStatus.NeedsServerOptions && end.IsServer:
                    ((ServerHandshake)handshake).Accept(options);
                    break;
                case 4 when status != HandshakeStatus.NeedsRecord:
                    handshake.ReceiveRecord([22, 3, 3, 0, 1, 0]);
                    break;
                case 5 when status == HandshakeStatus.NeedsRecord:
                    handshake.ReceiveRecord([22, 3, 3, 0, 2, 0]);
                    break;
                default:
                    return;
            }
        }
        catch (Exception e) when (e is InvalidOperationException || (e is ArgumentException && which % Missteps == 5))
        {
            BrokenPromiseException.ThrowUnless(
                handshake.Status == status && handshake.Output.Span.SequenceEqual(output), "a step out of turn changes nothing");
            return;
        }

        throw new BrokenPromiseException($"Step {which % Missteps} was taken at {status}.");
    }

    private byte[] Sign(SignatureRequest request)
    {
        byte[] signature = SignsElsewhere.Sign(request);
        int how = script?.Next() ?? 0;
        HasErred |= how % 8 is 1 or 2 or 3;
        return (how % 8) switch
        {
            1 => [],
            2 => new byte[70_000],
            3 => [.. signature[..^1], (byte)(signature[^1] ^ 1)],
            _ => signature,
        };
    }
}
