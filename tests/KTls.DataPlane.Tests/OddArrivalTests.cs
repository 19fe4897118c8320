using System.Security.Authentication;
using KTls.Handshake;

namespace KTls.DataPlane.Tests;

/// <summary>Records that are cut, joined and ordered in ways that peers may choose, and in ways that they may not.</summary>
public sealed class OddArrivalTests
{
    public static TheoryData<DataPlanePolicy, int> PlanesAndReadSizes()
    {
        var data = new TheoryData<DataPlanePolicy, int>();
        foreach (int size in new[] { 1, 3, 5, 6, 16384 })
        {
            data.Add(DataPlanePolicy.RequireKernel, size);
            data.Add(DataPlanePolicy.UserSpace, size);
        }

        return data;
    }

    /// <summary>What follows a KeyUpdate in its record is sealed with the old key and would count for the new (RFC 8446 §5.1).</summary>
    [Theory]
    [MemberData(nameof(PlanesAndReadSizes))]
    public async Task A_KeyUpdate_that_does_not_end_its_record_is_refused(DataPlanePolicy plane, int readSize)
    {
        foreach (byte[] rest in new[] { Lab.Ticket, [24], Lab.KeyUpdate(), new byte[300] })
        {
            await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
            await link.Peer.SendAsync(link.Peer.Seal(ContentType.Handshake, [.. Lab.KeyUpdate(), .. rest]), link.Peer.Seal(ContentType.ApplicationData, [1]));
            await link.AssertRefusesAsync(AlertDescription.UnexpectedMessage, readSize);
        }
    }

    [Theory]
    [MemberData(nameof(PlanesAndReadSizes))]
    public async Task A_KeyUpdate_may_come_in_parts_and_after_a_ticket(DataPlanePolicy plane, int readSize)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
        RawPeer peer = link.Peer;
        byte[] update = Lab.KeyUpdate();
        byte expected = 0;
        for (int cut = 1; cut < update.Length; cut++)
        {
            // In two records; then in one with the ticket before it, or with its end. Only the record's first byte tells the kernel.
            foreach (byte[][] records in new[] { [update[..cut], update[cut..]], [[.. Lab.Ticket, .. update]], new[] { Lab.Ticket[..^cut], [.. Lab.Ticket[^cut..], .. update] } })
            {
                await peer.SendAsync([peer.Seal(ContentType.ApplicationData, [++expected]), .. records.Select(record => peer.Seal(ContentType.Handshake, record))]);
                peer.UpdateSendKeys();
                await peer.SendDataAsync([++expected]);
                byte[] buffer = new byte[readSize];
                for (byte i = (byte)(expected - 1); i <= expected; i++)
                {
                    Assert.Equal(1, await link.Ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience));
                    Assert.Equal(i, buffer[0]);
                }
            }
        }
    }

    /// <summary>To the kernel, a record that goes on with the byte 24 looks like a KeyUpdate, and it stops.</summary>
    [Theory]
    [MemberData(nameof(PlanesAndReadSizes))]
    public async Task A_part_of_a_ticket_that_looks_like_a_KeyUpdate(DataPlanePolicy plane, int readSize)
    {
        byte[] ticket = [.. Lab.Ticket];
        const int Cut = 16;
        ticket[Cut] = 24;
        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
        RawPeer peer = link.Peer;
        for (byte i = 1; i < 10; i++)
        {
            await peer.SendAsync(
                peer.Seal(ContentType.ApplicationData, [i]), peer.Seal(ContentType.Handshake, ticket.AsSpan(0, Cut)), peer.Seal(ContentType.Handshake, ticket.AsSpan(Cut)));
            byte[] buffer = new byte[readSize];
            Assert.Equal(1, await link.Ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience));
            Assert.Equal(i, buffer[0]);

            // A read that takes the ticket and finds nothing behind it; a wait for more, while the kernel may have stopped.
            using var soon = new CancellationTokenSource(20);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await link.Ours.ReadAsync(buffer, soon.Token));
            Task<int> waiting = link.Ours.ReadAsync(Memory<byte>.Empty).AsTask();
            await peer.SendDataAsync([i]);
            Assert.Equal(0, await waiting.WaitAsync(Lab.Patience));
            Assert.Equal(1, await link.Ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience));
            Assert.Equal(i, buffer[0]);
        }
    }

    [Theory]
    [MemberData(nameof(PlanesAndReadSizes))]
    public async Task A_wait_within_a_KeyUpdate_in_parts(DataPlanePolicy plane, int readSize)
    {
        if (!plane.CanUpdate())
        {
            plane = DataPlanePolicy.UserSpace;
        }

        await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
        RawPeer peer = link.Peer;
        await peer.SendAsync(peer.Seal(ContentType.Handshake, [24, 0]));
        byte[] buffer = new byte[readSize];
        using var soon = new CancellationTokenSource(20);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await link.Ours.ReadAsync(buffer, soon.Token));
        Task<int> waiting = link.Ours.ReadAsync(Memory<byte>.Empty).AsTask();
        await peer.SendAsync(peer.Seal(ContentType.Handshake, [0, 1, 0]));
        Assert.Equal(0, await waiting.WaitAsync(Lab.Patience));
        peer.UpdateSendKeys();
        await peer.SendDataAsync([9]);
        Assert.Equal(1, await link.Ours.ReadAsync(buffer).AsTask().WaitAsync(Lab.Patience));
        Assert.Equal(9, buffer[0]);
    }

    public static TheoryData<DataPlanePolicy, string, AlertDescription> Forbidden()
    {
        var data = new TheoryData<DataPlanePolicy, string, AlertDescription>();
        foreach (DataPlanePolicy plane in new[] { DataPlanePolicy.RequireKernel, DataPlanePolicy.UserSpace })
        {
            data.Add(plane, "an alert within a message", AlertDescription.UnexpectedMessage);
            data.Add(plane, "close_notify within a message", AlertDescription.UnexpectedMessage);
            data.Add(plane, "empty data within a message", AlertDescription.UnexpectedMessage);
            data.Add(plane, "an alert in two records", AlertDescription.DecodeError);
            data.Add(plane, "two alerts in a record", AlertDescription.DecodeError);
            data.Add(plane, "an alert of three bytes", AlertDescription.DecodeError);
            data.Add(plane, "an empty alert", AlertDescription.UnexpectedMessage);
            data.Add(plane, "an empty handshake record", AlertDescription.UnexpectedMessage);
            data.Add(plane, "an empty part of a message", AlertDescription.UnexpectedMessage);
            data.Add(plane, "an unknown message", AlertDescription.UnexpectedMessage);
            data.Add(plane, "a KeyUpdate with the value 2", AlertDescription.IllegalParameter);
            data.Add(plane, "a KeyUpdate of two values", AlertDescription.DecodeError);
            data.Add(plane, "a message over the limit", AlertDescription.IllegalParameter);
            data.Add(plane, "change_cipher_spec", AlertDescription.UnexpectedMessage);
            data.Add(plane, "a record of an unknown type", AlertDescription.UnexpectedMessage);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task What_the_RFC_forbids_ends_in_its_alert(DataPlanePolicy plane, string what, AlertDescription alert)
    {
        (ContentType, byte[])[] records = what switch
        {
            "an alert within a message" => [(ContentType.Handshake, Lab.Ticket[..5]), (ContentType.Alert, TlsAlert.Create(AlertDescription.UserCanceled))],
            "close_notify within a message" => [(ContentType.Handshake, Lab.Ticket[..5]), (ContentType.Alert, Lab.CloseNotify)],
            "empty data within a message" => [(ContentType.Handshake, Lab.Ticket[..5]), (ContentType.ApplicationData, []), (ContentType.Handshake, Lab.Ticket[5..])],
            "an alert in two records" => [(ContentType.Alert, [1]), (ContentType.Alert, [0])],
            "two alerts in a record" => [(ContentType.Alert, [.. Lab.CloseNotify, .. Lab.CloseNotify])],
            "an alert of three bytes" => [(ContentType.Alert, [1, 0, 0])],
            "an empty alert" => [(ContentType.Alert, [])],
            "an empty handshake record" => [(ContentType.Handshake, [])],
            "an empty part of a message" => [(ContentType.Handshake, Lab.Ticket[..5]), (ContentType.Handshake, [])],
            "an unknown message" => [(ContentType.Handshake, [77, 0, 0, 0])],
            "a KeyUpdate with the value 2" => [(ContentType.Handshake, [24, 0, 0, 1, 2])],
            "a KeyUpdate of two values" => [(ContentType.Handshake, [24, 0, 0, 2, 0, 0])],
            "a message over the limit" => [(ContentType.Handshake, [4, 255, 255, 255])],
            "change_cipher_spec" => [(ContentType.ChangeCipherSpec, [1])],
            _ => [((ContentType)99, [1])],
        };
        foreach (int readSize in new[] { 1, 2, 100 })
        {
            await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
            await link.SendAsync([(ContentType.ApplicationData, [1]), .. records, (ContentType.ApplicationData, [2])]);
            await link.AssertReadsAsync(1);
            await link.AssertRefusesAsync(alert, readSize);
            await Assert.ThrowsAsync<IOException>(async () => await link.Ours.WriteAsync(new byte[1]));
        }
    }

    /// <summary>A reader that waits first takes nothing: what is behind the data is judged as without the wait.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task A_wait_does_not_swallow_an_empty_record(DataPlanePolicy plane)
    {
        foreach (ContentType type in new[] { ContentType.Alert, ContentType.Handshake })
        {
            await using Link link = await Link.ClientAsync(new KTlsOptions { DataPlane = plane });
            await link.SendAsync((ContentType.ApplicationData, [1]), (type, []), (ContentType.ApplicationData, [2]));
            await link.AssertReadsAsync(1);
            Assert.Equal(0, await link.Ours.ReadAsync(Memory<byte>.Empty).AsTask().WaitAsync(Lab.Patience));
            await link.AssertRefusesAsync(AlertDescription.UnexpectedMessage);
        }
    }

    /// <summary>An alert that a reader finds while a writer is at work follows the writer's records.</summary>
    [Theory]
    [MemberData(nameof(Planes.Both), MemberType = typeof(Planes))]
    public async Task An_alert_waits_for_its_turn(DataPlanePolicy plane)
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane }, bufferSize: 65536);
        Task writing = link.Ours.WriteAsync(new byte[4 << 20]).AsTask();
        await Task.Delay(100);
        Assert.False(writing.IsCompleted);
        await link.SendAsync((ContentType.Alert, [1, 0, 0]));
        await link.AssertReadFailsAsync<IOException>();
        ContentType type;
        byte[] content;
        long received = 0;
        do
        {
            (type, content) = await link.ReceiveAsync();
            received += content.Length;
        }
        while (type == ContentType.ApplicationData);
        Assert.Equal(TlsAlert.Create(AlertDescription.DecodeError), content);
        Assert.InRange(received, 1, (2 << 20) + 2);
        IOException e = await Assert.ThrowsAsync<IOException>(() => writing.WaitAsync(Lab.Patience));
        Assert.Equal(AlertDescription.DecodeError, Assert.IsType<TlsAlertException>(e.InnerException).Description);
    }

    [Theory]
    [InlineData(DataPlanePolicy.RequireKernel, SslProtocols.Tls13)]
    [InlineData(DataPlanePolicy.RequireKernel, SslProtocols.Tls12)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls13)]
    [InlineData(DataPlanePolicy.UserSpace, SslProtocols.Tls12)]
    public async Task A_fatal_alert_of_the_peer_is_not_answered(DataPlanePolicy plane, SslProtocols protocol)
    {
        await using Link link = await Link.ServerAsync(new KTlsOptions { DataPlane = plane }, protocol);
        await link.SendAsync((ContentType.Alert, TlsAlert.Create(AlertDescription.InternalError)));
        IOException e = await link.AssertReadFailsAsync<IOException>();
        Assert.True(Assert.IsType<TlsAlertException>(e.InnerException).ReceivedFromPeer);
        await Assert.ThrowsAsync<IOException>(async () => await link.Ours.WriteAsync(new byte[1]));
        await link.Ours.DisposeAsync();
        Assert.Equal(0, await link.Tcp.Client.ReceiveAsync(new byte[100]).WaitAsync(Lab.Patience));
    }
}
