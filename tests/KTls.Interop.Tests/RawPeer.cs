using System.Net.Sockets;
using KTls.Handshake;

namespace KTls.Interop.Tests;

/// <summary>
/// The other end with its hands on every record: our handshake without I/O, and records sealed, opened and counted here.
/// </summary>
internal sealed class RawPeer : IDisposable
{
    private readonly Socket _socket;
    private readonly TlsHandshake _handshake;
    private readonly List<byte> _received = [];
    private TlsSession? _session;
    private RecordSealer? _sealer;
    private RecordOpener? _opener;

    private RawPeer(Socket socket, TlsHandshake handshake)
    {
        _socket = socket;
        _handshake = handshake;
    }

    /// <summary>What a client has still to send of its handshake, when that was held back.</summary>
    public byte[] LastFlight { get; private set; } = [];

    /// <summary>The number of the next record to send.</summary>
    public ulong SendSequence => _sealer!.Sequence;

    /// <summary>The number of the next record to receive.</summary>
    public ulong ReceiveSequence => _opener!.Sequence;

    /// <summary>A client that has received everything and has yet to send its change_cipher_spec and Finished.</summary>
    public static async Task<RawPeer> ConnectAsync(Socket socket)
    {
        var handshake = new ClientHandshake(new ClientHandshakeOptions { ServerName = "localhost" });
        var peer = new RawPeer(socket, handshake);
        await peer.RunAsync();
        peer.LastFlight = handshake.Output.ToArray();
        peer.TakeKeys();
        return peer;
    }

    /// <summary>A server whose handshake is complete.</summary>
    public static async Task<RawPeer> AcceptAsync(Socket socket, CertificateCredential credential)
    {
        var handshake = new ServerHandshake();
        var peer = new RawPeer(socket, handshake);
        await peer.RunAsync();
        handshake.Accept(new ServerHandshakeOptions { Credential = credential });
        await peer.RunAsync();
        await peer.SendOutputAsync();
        peer.TakeKeys();
        return peer;
    }

    /// <summary>Seals a record with the next number.</summary>
    public byte[] Seal(ContentType type, ReadOnlySpan<byte> content)
    {
        byte[] record = new byte[content.Length + _sealer!.Overhead];
        return record[.._sealer!.Seal(type, content, record)];
    }

    public async Task SendAsync(params byte[][] records) => await _socket.SendAsync(records.SelectMany(record => record).ToArray());

    public Task SendDataAsync(byte[] data) => SendAsync(Seal(ContentType.ApplicationData, data));

    /// <summary>Receives and opens the next record, which must have the number that is expected: else it would not open.</summary>
    public async Task<(ContentType Type, byte[] Content)> ReceiveAsync()
    {
        byte[] record = await ReceiveRecordAsync();
        byte[] content = _opener!.Open(record, out ContentType type).ToArray();
        return (type, content);
    }

    public void UpdateSendKeys()
    {
        _session!.UpdateSendKeys();
        using RecordKeys keys = _session.GetSendKeys();
        _sealer = new RecordSealer(keys);
    }

    public void UpdateReceiveKeys()
    {
        _session!.UpdateReceiveKeys();
        using RecordKeys keys = _session.GetReceiveKeys();
        _opener = new RecordOpener(keys);
    }

    public void Dispose()
    {
        _handshake.Dispose();
        _session?.Dispose();
        _sealer?.Dispose();
        _opener?.Dispose();
    }

    // Until the handshake is complete or asks for something; a client's last flight stays unsent.
    private async Task RunAsync()
    {
        await SendOutputAsync();
        while (_handshake.Status is HandshakeStatus.NeedsRecord)
        {
            _handshake.ReceiveRecord(await ReceiveRecordAsync());
            if (_handshake.Status == HandshakeStatus.NeedsCertificateVerdict)
            {
                _handshake.AcceptPeerCertificate();
            }

            if (_handshake.Status == HandshakeStatus.NeedsRecord)
            {
                await SendOutputAsync();
            }
        }
    }

    private async Task SendOutputAsync()
    {
        if (!_handshake.Output.IsEmpty)
        {
            await _socket.SendAsync(_handshake.Output);
            _handshake.OutputSent();
        }
    }

    private void TakeKeys()
    {
        _session = _handshake.TakeSession();
        using RecordKeys send = _session.GetSendKeys();
        using RecordKeys receive = _session.GetReceiveKeys();
        _sealer = new RecordSealer(send);
        _opener = new RecordOpener(receive);
    }

    private async Task<byte[]> ReceiveRecordAsync()
    {
        byte[] buffer = new byte[16 * 1024];
        while (_received.Count < RecordHeader.Size || _received.Count < RecordHeader.Read(_received.ToArray()).RecordLength)
        {
            int count = await _socket.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.NotEqual(0, count);
            _received.AddRange(buffer.AsSpan(0, count));
        }

        int length = RecordHeader.Read(_received.ToArray()).RecordLength;
        byte[] record = [.. _received.Take(length)];
        _received.RemoveRange(0, length);
        return record;
    }
}
