using System.Net.Sockets;
using KTls;

namespace RekeyStress;

/// <summary>One end of a connection: sends what its plan says, changes its keys meanwhile, and checks every byte that comes.</summary>
internal sealed class End(EndPlan plan, KTlsStream stream, Socket socket, KeyUpdateCount updates, Life life)
{
    private readonly Run _run = life.Run;
    private long _checked;
    private long _offered;
    private int _step;

    public EndPlan Plan => plan;

    public KeyUpdateCount Updates => updates;

    /// <summary>Bytes that came and were right.</summary>
    public long Checked => Interlocked.Read(ref _checked);

    /// <summary>Bytes that were sent, or at least begun.</summary>
    public long Offered => Interlocked.Read(ref _offered);

    /// <summary>Whether it was about to say close_notify, or has.</summary>
    public bool SaysGoodbye { get; private set; }

    /// <summary>Whether the other end has said close_notify.</summary>
    public bool HeardGoodbye { get; private set; }

    /// <summary>Sends and receives until both is over, and closes the socket.</summary>
    /// <param name="other">The plan of the other end: what is to come.</param>
    public async Task RunAsync(EndPlan other)
    {
        await Task.WhenAll(GuardAsync(SendAsync, "sending"), GuardAsync(() => ReceiveAsync(other), "receiving"));
        await stream.DisposeAsync();
    }

    /// <summary>For a message about something that hangs.</summary>
    public override string ToString() =>
        $"{plan.Name}: step {_step} of {plan.Steps}, {Offered} bytes sent, {Checked} received, {updates.Sent} KeyUpdates sent, {updates.Received} received{(SaysGoodbye ? ", has said goodbye" : string.Empty)}{(HeardGoodbye ? ", has heard goodbye" : string.Empty)}";

    // Whatever one direction meets that it should not meet ends the connection, or the other one would wait for ever.
    private async Task GuardAsync(Func<Task> direction, string name)
    {
        try
        {
            await direction();
        }
        catch (Exception e)
        {
            if (!life.IsExpected(e, plan))
            {
                life.Fail($"{plan.Name}, {name}: {e.GetType().Name}: {e.Message}");
            }

            if (life.IsFailed)
            {
                Abort();
            }
        }
    }

    private async Task SendAsync()
    {
        Random random = Script.RandomOf([.. plan.Seed, 1]);
        for (_step = 0; _step < plan.Steps && !life.IsStopping; _step++)
        {
            Step step = Script.NextStep(random);
            if (life.FaultOf(plan) == _step)
            {
                await EndInFaultAsync(step);
                return;
            }

            await DoAsync(step);
            if (step.Pause != TimeSpan.Zero)
            {
                await Task.Delay(step.Pause);
            }
        }

        SaysGoodbye = true;
        await stream.ShutdownAsync();
    }

    private async Task DoAsync(Step step)
    {
        switch (step.Moment)
        {
            case UpdateMoment.Before:
                await UpdateKeysAsync(step);
                await SendDataAsync(step);
                break;
            case UpdateMoment.During:
                await Task.WhenAll(Task.Run(() => UpdateKeysAsync(step)), SendDataAsync(step));
                break;
            default:
                await SendDataAsync(step);
                await UpdateKeysAsync(step);
                break;
        }
    }

    private async Task UpdateKeysAsync(Step step)
    {
        // A kernel without rekey cannot. Its peers change their keys all the same.
        if (_run.KernelCanRekey || plan.InUserSpace)
        {
            for (int i = 0; i < step.Updates; i++)
            {
                await stream.UpdateKeysAsync(requestPeerUpdate: (step.Requests >> i & 1) != 0);
            }
        }
    }

    private async Task SendDataAsync(Step step)
    {
        long position = plan.Origin + _offered;
        Interlocked.Add(ref _offered, step.Size);
        if (!step.AsFile)
        {
            await stream.WriteAsync(_run.Pattern.At(position, step.Size));
        }
        else if (await stream.SendFileAsync(_run.Pattern.File, Pattern.OffsetOf(position), step.Size) is var sent && sent != step.Size)
        {
            throw new InvalidDataException($"sendfile sent {sent} bytes of {step.Size}");
        }

        _run.Totals.Sent(step.Size, step.AsFile);
    }

    // With data and keys under way.
    private async Task EndInFaultAsync(Step step)
    {
        Task doing = DoAsync(step with { Moment = UpdateMoment.During });
        await Task.Yield();
        life.BeginFault();
        if (life.Ending == Ending.Reset)
        {
            Abort();
        }
        else
        {
            socket.Shutdown(SocketShutdown.Send);
        }

        await doing;
    }

    // RST: nobody can take what came so far for the whole.
    private void Abort()
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }

        socket.Dispose();
        stream.Dispose();
    }

    private async Task ReceiveAsync(EndPlan other)
    {
        Random random = Script.RandomOf([.. plan.Seed, 2]);
        byte[] buffer = new byte[65_536];
        while (true)
        {
            ReadStep step = Script.NextRead(random);
            int read = await ReadAsync(buffer.AsMemory(0, step.Size), step);
            if (read == 0)
            {
                HeardGoodbye = stream.CloseNotifyReceived ? true : throw new InvalidDataException("an end without close_notify");
                return;
            }

            Memory<byte> received = buffer.AsMemory(0, read);
            long position = other.Origin + _checked;
            int matching = _run.Pattern.Matching(position, received.Span);
            Interlocked.Add(ref _checked, matching);
            _run.Totals.Checked(matching);
            if (matching != read)
            {
                byte[] more = await ReadMoreAsync(received[matching..]);
                throw new InvalidDataException($"after {_checked} bytes: {_run.Pattern.Explain(position + matching, more)}");
            }

            if (step.Pause != TimeSpan.Zero)
            {
                await Task.Delay(step.Pause);
            }
        }
    }

    private async Task<int> ReadAsync(Memory<byte> buffer, ReadStep step)
    {
        if (step.WaitsFirst)
        {
            _ = await stream.ReadAsync(Memory<byte>.Empty);
        }

        if (!step.IsInterrupted)
        {
            return await stream.ReadAsync(buffer);
        }

        using var interruption = new CancellationTokenSource();
        ValueTask<int> reading = stream.ReadAsync(buffer, interruption.Token);
        if (!reading.IsCompleted)
        {
            await Task.Yield();
            await interruption.CancelAsync();
        }

        try
        {
            return await reading;
        }
        catch (OperationCanceledException)
        {
            // Nothing is lost by it.
            return await stream.ReadAsync(buffer);
        }
    }

    // What follows tells wrong bytes from missing ones; a few of them will do.
    private async Task<byte[]> ReadMoreAsync(ReadOnlyMemory<byte> beginning)
    {
        byte[] more = new byte[Math.Max(beginning.Length, 64)];
        beginning.CopyTo(more);
        int length = beginning.Length;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            while (length < more.Length && await stream.ReadAsync(more.AsMemory(length), patience.Token) is var read and not 0)
            {
                length += read;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Nothing follows.
        }

        return more[..length];
    }
}
