using KTls.Handshake;

namespace KTls.Fuzz.Handshakes;

/// <summary>Carries what one end sends to the other, by way of the attacker, and looks that the other end does what it promises.</summary>
internal sealed class Direction(End from, End to, Attacker attacker, Caller caller) : IDisposable
{
    private readonly Wiretap _wiretap = new(from);
    private readonly Dictionary<Epoch, Forge> _forges = [];
    private (byte[] Record, Fragment Content)? _late;

    public bool IsDisturbed => attacker.HasDisturbed || caller.HasErred;

    /// <summary>Carries all that there is.</summary>
    /// <returns>Whether there was anything.</returns>
    public bool Move()
    {
        List<Fragment> fragments = _wiretap.Read(from.Handshake.Output.Span);
        from.Handshake.OutputSent();
        if (fragments.Count == 0 && !attacker.IsHoldingBack)
        {
            return false;
        }

        CheckAlert(fragments);
        foreach (Delivery delivery in attacker.Pass(fragments))
        {
            Carry(delivery);
        }

        GiveLate();
        return true;
    }

    /// <summary>An end that has failed stays so.</summary>
    public void CheckEnd()
    {
        if (to.Handshake.Status == HandshakeStatus.Failed)
        {
            for (int step = 0; step < Caller.Missteps; step++)
            {
                caller.Misstep(step);
            }

            BrokenPromiseException.ThrowUnless(!to.IsComplete, "a failed handshake never completes");
        }
    }

    public void Dispose()
    {
        _wiretap.Dispose();
        foreach (Forge forge in _forges.Values)
        {
            forge.Dispose();
        }
    }

    // Whoever fails by what the peer has sent tells it why, and says nothing when the peer itself has given up.
    private void CheckAlert(List<Fragment> fragments)
    {
        if (from.Failure is { } failure && !from.IsComplete && fragments.Count != 0)
        {
            bool isAlert = fragments[^1] is { Type: ContentType.Alert, Content: [_, byte description] } && description == (byte)failure.Description;
            BrokenPromiseException.ThrowUnless(isAlert != failure.ReceivedFromPeer, $"who fails by itself, and nobody else, sends the alert {failure.Description}");
        }
    }

    private void Carry(Delivery delivery)
    {
        byte[] record = Seal(delivery.Fragment, out Fragment content);
        if (delivery.Change is { } change)
        {
            byte[] original = [.. record];
            record = change(record);

            // The version in the header says nothing (RFC 8446 §5.1). A sealed record that is changed otherwise must not be taken.
            bool isSame = record[0] == original[0] && record.AsSpan(3).SequenceEqual(original.AsSpan(3));
            content = isSame ? content
                : content.Epoch == Epoch.Plain ? new Fragment(Epoch.Plain, (ContentType)record[0], record[RecordHeader.Size..])
                : new Fragment(Epoch.Plain, ContentType.Handshake, [.. record]);
        }

        if (delivery.IsLate && _late is null)
        {
            _late = (record, content);
            return;
        }

        Give([.. record], content);
        if (delivery.IsRepeated)
        {
            Give([.. record], content);
        }

        GiveLate();
    }

    private void GiveLate()
    {
        if (_late is var (record, content))
        {
            _late = null;
            Give(record, content);
        }
    }

    private void Give(byte[] record, Fragment content)
    {
        if (to.Failure is not null || to.Handshake.Status == HandshakeStatus.Failed)
        {
            return;
        }

        try
        {
            if (to.After is { } after)
            {
                after.Receive(record);
                return;
            }

            if (content.IsOfHandshake)
            {
                to.Received.Append(content.Content);
            }

            to.Take(record);
            to.Do(caller.Answer);
            Trace.Write($"{to}: {to.Handshake.Status} after {content}");
            if (to.Handshake.Status == HandshakeStatus.Complete)
            {
                Agreement.CheckTranscripts(to, from);
                to.After = new AfterHandshake(to.Handshake.TakeSession());
            }
        }
        catch (TlsAlertException e)
        {
            Fail(e);
        }
    }

    private void Fail(TlsAlertException failure)
    {
        Trace.Write($"{to}: {failure.Description}, {failure.Message}");
        // A handshake makes internal_error of any other exception, which only a signature that is none may bring about.
        if (failure.Description == AlertDescription.InternalError && !failure.ReceivedFromPeer && !caller.HasErred)
        {
            throw new BrokenPromiseException($"The handshake comes to an exception of its own: {failure}");
        }

        BrokenPromiseException.ThrowUnless(to.IsComplete || to.Handshake.Status == HandshakeStatus.Failed, "a handshake that throws has failed");
        to.Failure = failure;
    }

    // In the clear where neither end has the keys.
    private byte[] Seal(Fragment fragment, out Fragment content)
    {
        content = fragment.Epoch == Epoch.Application && to.HasTls12Keys ? fragment with { Epoch = Epoch.Handshake } : fragment;
        if (content.Epoch != Epoch.Plain && Forging(content.Epoch) is { } forge)
        {
            return forge.Seal(content.Type, content.Content, content.Padding);
        }

        content = content with { Epoch = Epoch.Plain };
        byte[] record = new byte[RecordHeader.Size + content.Content.Length];
        RecordHeader.Write(record, content.Type, content.Content.Length);
        content.Content.CopyTo(record.AsSpan(RecordHeader.Size));
        return record;
    }

    // With the keys that the receiver has, be they the sender's or, after a change, others.
    private Forge? Forging(Epoch epoch)
    {
        if (!_forges.TryGetValue(epoch, out Forge? forge))
        {
            using RecordKeys? keys = to.Keys(isSending: false, epoch) ?? from.Keys(isSending: true, epoch);
            if (keys is null)
            {
                return null;
            }

            _forges[epoch] = forge = new Forge(keys);
        }

        return forge;
    }
}
