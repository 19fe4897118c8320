using System.Buffers;
using System.Security.Cryptography;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.DataPlane;

/// <summary>
/// Moves records between a socket and a handshake. It receives as much as there is, so what the peer sent after its last
/// handshake record may be here already when the handshake ends: <see cref="Unconsumed"/>.
/// </summary>
internal sealed class HandshakeDriver : IDisposable
{
    // Room for the largest record and then some.
    private const int BufferSize = 20 * 1024;

    private readonly KernelSocket _socket;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _start;
    private int _end;

    public HandshakeDriver(KernelSocket socket) => _socket = socket;

    /// <summary>What was received and belongs to no record that the handshake took.</summary>
    public ReadOnlySpan<byte> Unconsumed => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Copies of all records, for <see cref="Fallback.ReplayStream"/>; null when nobody will ask.</summary>
    public ArrayBufferWriter<byte>? Replay { get; set; }

    /// <summary>Goes on until the handshake asks for something that is not a record.</summary>
    /// <exception cref="TlsAlertException">The handshake has failed; the alert was sent.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async ValueTask RunAsync(TlsHandshake handshake, CancellationToken cancellationToken)
    {
        await SendOutputAsync(handshake, cancellationToken).ConfigureAwait(false);
        while (handshake.Status is HandshakeStatus.NeedsRecord or HandshakeStatus.NeedsSignature)
        {
            if (handshake.Status == HandshakeStatus.NeedsSignature)
            {
                await SignAsync(handshake, cancellationToken).ConfigureAwait(false);
                continue;
            }

            Memory<byte> record = await ReceiveRecordAsync(handshake, cancellationToken).ConfigureAwait(false);
            try
            {
                handshake.ReceiveRecord(record.Span);
            }
            catch
            {
                await SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
                throw;
            }

            await SendOutputAsync(handshake, cancellationToken).ConfigureAwait(false);
        }
    }

    // The key is elsewhere. Whatever goes wrong there is our fault, not the peer's.
    private async ValueTask SignAsync(TlsHandshake handshake, CancellationToken cancellationToken)
    {
        SignatureRequest request = handshake.SignatureRequest!;
        try
        {
            handshake.ProvideSignature(await request.Credential.SignAsync(request.Scheme, request.Content, cancellationToken).ConfigureAwait(false));
        }
        catch (TlsAlertException)
        {
            await SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
            throw;
        }
        catch
        {
            await FailAsync(handshake, AlertDescription.InternalError, cancellationToken).ConfigureAwait(false);
            throw;
        }

        await SendOutputAsync(handshake, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends a handshake with an alert to the peer.</summary>
    public async ValueTask FailAsync(TlsHandshake handshake, AlertDescription alert, CancellationToken cancellationToken)
    {
        handshake.Fail(alert);
        await SendAlertAsync(handshake, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends what a failed handshake has left to say. The peer may be gone: the failure is what counts.</summary>
    public async ValueTask SendAlertAsync(TlsHandshake handshake, CancellationToken cancellationToken)
    {
        try
        {
            await SendOutputAsync(handshake, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
        }
    }

    public void Dispose()
    {
        byte[] buffer = _buffer;
        _buffer = [];
        _start = _end = 0;
        if (buffer.Length != 0)
        {
            CryptographicOperations.ZeroMemory(buffer);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask SendOutputAsync(TlsHandshake handshake, CancellationToken cancellationToken)
    {
        if (!handshake.Output.IsEmpty)
        {
            await _socket.SendAsync(handshake.Output, cancellationToken).ConfigureAwait(false);
            handshake.OutputSent();
        }
    }

    private async ValueTask<Memory<byte>> ReceiveRecordAsync(TlsHandshake handshake, CancellationToken cancellationToken)
    {
        while (true)
        {
            int needed = RecordHeader.Size;
            if (_end - _start >= RecordHeader.Size)
            {
                needed = await ReadHeaderAsync(handshake, cancellationToken).ConfigureAwait(false);
                if (_end - _start >= needed)
                {
                    break;
                }
            }

            await ReceiveMoreAsync(needed, cancellationToken).ConfigureAwait(false);
        }

        Memory<byte> record = _buffer.AsMemory(_start, RecordHeader.Read(_buffer.AsSpan(_start)).RecordLength);
        _start += record.Length;
        Replay?.Write(record.Span);
        return record;
    }

    private async ValueTask<int> ReadHeaderAsync(TlsHandshake handshake, CancellationToken cancellationToken)
    {
        try
        {
            return RecordHeader.Read(_buffer.AsSpan(_start)).RecordLength;
        }
        catch (TlsAlertException e)
        {
            await FailAsync(handshake, e.Description, cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask ReceiveMoreAsync(int needed, CancellationToken cancellationToken)
    {
        if (_buffer.Length - _start < needed)
        {
            Unconsumed.CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        else if (_start == _end)
        {
            _start = _end = 0;
        }

        int received = await _socket.ReceiveAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        if (received == 0)
        {
            throw new IOException("The peer closed the connection during the handshake.");
        }

        _end += received;
    }
}
