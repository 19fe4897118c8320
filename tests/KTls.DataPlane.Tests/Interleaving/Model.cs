using KTls.Handshake;

namespace KTls.DataPlane.Tests.Interleaving;

/// <summary>
/// What a connection does, in the simplest words: what lies in the socket unread, what a read makes of it, and which records go
/// out. Of kernels it knows only whether a direction can change its keys.
/// </summary>
internal sealed class Model(Setup setup)
{
    // The limit of SplitConnection.
    private const int MaxWithoutData = 32;

    private readonly Queue<Arrival> _arrived = new();
    private int _withoutData;
    private bool _owesUpdate;

    private enum ArrivalKind
    {
        Data,
        KeyUpdate,
        RequestForUpdate,
        Ticket,
        TicketLikeUpdate,
        CloseNotify,
        EndOfTcp,
    }

    /// <summary>What the peer has sent that no read has met.</summary>
    public int Unread => _arrived.Count;

    /// <summary>KeyUpdates of the peer that reads have met.</summary>
    public int UpdatesMet { get; private set; }

    /// <summary>Tickets that reads have met.</summary>
    public int TicketsMet { get; private set; }

    /// <summary>
    /// Records that reads have met, and at which a kernel that can change keys stops until it has keys again: their first byte is a
    /// KeyUpdate's.
    /// </summary>
    public int Pauses { get; private set; }

    /// <summary>KeyUpdates of ours.</summary>
    public int UpdatesSent { get; private set; }

    /// <summary>Reads return 0 from now on.</summary>
    public bool HasEnded { get; private set; }

    public bool CloseNotifyMet { get; private set; }

    /// <summary>Why reads fail.</summary>
    public Failure ReadFailure { get; private set; }

    /// <summary>Why writes fail.</summary>
    public Failure SendFailure { get; private set; }

    public bool IsShutDown { get; private set; }

    public bool IsDisposed { get; private set; }

    public bool IsReset { get; private set; }

    /// <summary>The peer can send no more.</summary>
    public bool PeerIsSilent { get; private set; }

    /// <summary>One of the ends has come.</summary>
    public bool IsOver => IsShutDown || IsDisposed || HasEnded || PeerIsSilent || ReadFailure != Failure.None || SendFailure != Failure.None;

    public void PeerWrites(byte[] data)
    {
        // Where one record of data ends and the next begins is nothing that a reader may rely on.
        if (_arrived.Count == 0 || _arrived.Last().Kind != ArrivalKind.Data)
        {
            _arrived.Enqueue(new Arrival(ArrivalKind.Data, []));
        }

        _arrived.Last().Data.AddRange(data);
    }

    public void PeerUpdates(bool requested) => Arrive(requested ? ArrivalKind.RequestForUpdate : ArrivalKind.KeyUpdate);

    /// <param name="looksLikeUpdate">A later record of it begins like a KeyUpdate.</param>
    public void Ticket(bool looksLikeUpdate) => Arrive(looksLikeUpdate ? ArrivalKind.TicketLikeUpdate : ArrivalKind.Ticket);

    public void PeerCloses() => Arrive(ArrivalKind.CloseNotify);

    public void PeerEndsTcp()
    {
        Arrive(ArrivalKind.EndOfTcp);
        PeerIsSilent = true;
    }

    public void PeerResets()
    {
        IsReset = true;
        PeerIsSilent = true;
    }

    /// <summary>How far a read comes with what has arrived. Without room it meets nothing.</summary>
    public ReadOutcome Advance(bool hasRoom)
    {
        while (hasRoom && !IsDisposed && !HasEnded && ReadFailure == Failure.None && _arrived.TryPeek(out Arrival? next))
        {
            if (next.Kind == ArrivalKind.Data)
            {
                return ReadOutcome.Data;
            }

            _arrived.Dequeue();
            Meet(next.Kind);
        }

        return IsDisposed ? ReadOutcome.Disposed
            : ReadFailure != Failure.None ? ReadOutcome.Failure
            : HasEnded ? ReadOutcome.End
            : Unread != 0 ? ReadOutcome.Ready
            : ReadOutcome.Waits;
    }

    /// <summary>A read has so many bytes of the data before it: these.</summary>
    public byte[] TakeData(int count)
    {
        _withoutData = 0;
        List<byte> data = _arrived.Peek().Data;
        Assert.InRange(count, 1, data.Count);
        byte[] taken = [.. data[..count]];
        data.RemoveRange(0, count);
        if (data.Count == 0)
        {
            _arrived.Dequeue();
        }

        return taken;
    }

    /// <summary>A read has met the reset. What lay before it may be lost.</summary>
    public void MeetReset() => Fail(Failure.Reset);

    public SendOutcome Write(byte[] data, List<(ContentType, byte[])> records)
    {
        if (WhyNothingIsSent() is { } why)
        {
            return why;
        }

        if (_owesUpdate && setup.CanUpdate)
        {
            SendUpdate(records, requested: false);
        }
        else if (_owesUpdate && setup.Request == UpdateRequestWithoutRekey.Close)
        {
            SendFailure = Failure.KeysCannotChange;
            IsShutDown = true;
            records.Add((ContentType.Alert, Lab.CloseNotify));
            return SendOutcome.Failure;
        }

        _owesUpdate = false;
        records.Add((ContentType.ApplicationData, data));
        return SendOutcome.Done;
    }

    public SendOutcome Update(bool request, List<(ContentType, byte[])> records)
    {
        if (!IsDisposed && !setup.CanUpdate)
        {
            return SendOutcome.Unsupported;
        }

        if (WhyNothingIsSent() is { } why)
        {
            return why;
        }

        // An answer requests nothing (RFC 8446 §4.6.3), so a request is a second message.
        if (_owesUpdate || !request)
        {
            SendUpdate(records, requested: false);
        }

        if (request)
        {
            SendUpdate(records, requested: true);
        }

        _owesUpdate = false;
        return SendOutcome.Done;
    }

    public SendOutcome Shutdown(List<(ContentType, byte[])> records)
    {
        if (IsShutDown && !IsDisposed)
        {
            return SendOutcome.Done;
        }

        if (WhyNothingIsSent() is { } why)
        {
            return why;
        }

        IsShutDown = true;
        records.Add((ContentType.Alert, Lab.CloseNotify));
        return SendOutcome.Done;
    }

    public void Dispose()
    {
        IsDisposed = true;
        PeerIsSilent = true;
    }

    private SendOutcome? WhyNothingIsSent() =>
        IsDisposed ? SendOutcome.Disposed
        : SendFailure != Failure.None ? SendOutcome.Failure
        : IsShutDown ? SendOutcome.ShutDown
        : IsReset ? SendOutcome.Failure
        : null;

    private void SendUpdate(List<(ContentType, byte[])> records, bool requested)
    {
        UpdatesSent++;
        records.Add((ContentType.Handshake, Lab.KeyUpdate(requested)));
    }

    private void Arrive(ArrivalKind kind) => _arrived.Enqueue(new Arrival(kind, []));

    private void Meet(ArrivalKind kind)
    {
        if (kind is ArrivalKind.CloseNotify or ArrivalKind.EndOfTcp)
        {
            HasEnded = true;
            CloseNotifyMet = kind == ArrivalKind.CloseNotify;
        }
        else if (++_withoutData > MaxWithoutData)
        {
            Fail(Failure.TooManyMessages);
        }
        else if (kind is ArrivalKind.Ticket or ArrivalKind.TicketLikeUpdate)
        {
            TicketsMet++;
            Pauses += kind == ArrivalKind.TicketLikeUpdate ? 1 : 0;
        }
        else if (!setup.CanFollow)
        {
            Fail(Failure.KeysCannotChange);
        }
        else
        {
            UpdatesMet++;
            Pauses++;
            _owesUpdate |= kind == ArrivalKind.RequestForUpdate;
        }
    }

    private void Fail(Failure failure)
    {
        ReadFailure = failure;
        if (SendFailure == Failure.None)
        {
            SendFailure = failure;
        }
    }

    private sealed record Arrival(ArrivalKind Kind, List<byte> Data);
}
