using System.Text;
using KTls.DataPlane;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.BoGo;

/// <summary>A connection of KTls with the runner, after the handshake.</summary>
internal sealed class RunnerConnection : IDisposable
{
    private readonly SplitConnection _connection;
    private readonly LastSession _sessions;
    private readonly byte[] _buffer = new byte[RecordHeader.MaxPlaintext];

    public RunnerConnection(SplitConnection connection, LastSession sessions)
    {
        _connection = connection;
        _sessions = sessions;
    }

    public ConnectionFacts Facts => _connection.Facts;

    /// <summary>The session of a client's last ticket; whoever takes it disposes it.</summary>
    public ClientSession? Ticket => _sessions.Session;

    public bool CloseNotifyReceived => _connection.CloseNotifyReceived;

    public void Write(ReadOnlySpan<byte> data)
    {
        ReadOnlyMemory<byte> copy = data.ToArray();
        Wait(async () => await _connection.WriteAsync(copy, CancellationToken.None));
    }

    /// <summary>The next data; empty at the end, by close_notify or without.</summary>
    /// <exception cref="TlsAlertException">The peer did wrong, or says that we did; in the first case the alert was sent.</exception>
    public ReadOnlySpan<byte> Read()
    {
        int length = 0;
        Wait(async () => length = await _connection.ReadAsync(_buffer, CancellationToken.None));
        return _buffer.AsSpan(0, length);
    }

    public void UpdateSendKeys() => Wait(() => _connection.UpdateKeysAsync(requestPeerUpdate: false, CancellationToken.None));

    /// <summary>Sends close_notify.</summary>
    public void Shutdown() => Wait(() => _connection.ShutdownAsync(CancellationToken.None));

    public byte[] Export(string label, byte[]? context, int length) => _connection.ExportKeyingMaterial(label, context, length)!;

    public void Dispose() => _connection.Dispose();

    // A connection tells of alerts in its exceptions' own ways.
    private static void Wait(Func<Task> operation)
    {
        try
        {
            operation().GetAwaiter().GetResult();
        }
        catch (KernelTlsException e)
        {
            throw new TlsAlertException(AlertFor(e), e.Message, e);
        }
        catch (IOException e) when (e.InnerException is TlsAlertException alert)
        {
            throw alert;
        }
    }

    // What KTls has told the runner by then.
    private static AlertDescription AlertFor(KernelTlsException e) => e.Errno switch
    {
        ErrorNumber.EBADMSG => AlertDescription.BadRecordMac,
        ErrorNumber.EMSGSIZE => AlertDescription.RecordOverflow,
        ErrorNumber.EINVAL => AlertDescription.UnexpectedMessage,
        _ => AlertDescription.InternalError,
    };
}
