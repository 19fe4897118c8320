using System.Text;
using KTls.DataPlane;
using KTls.Handshake;
using KTls.Kernel;

namespace KTls.BoGo;

/// <summary>A connection of KTls.</summary>
internal sealed class ConnectionPlane : DataPlane
{
    private readonly SplitConnection _connection;
    private readonly ConnectionTransport.LastSession _store;
    private readonly byte[] _buffer = new byte[RecordHeader.MaxPlaintext];

    public ConnectionPlane(SplitConnection connection, ConnectionTransport.LastSession store)
    {
        _connection = connection;
        _store = store;
        Ticket = store.Session;
    }

    public override Agreement Agreement => new(
        _connection.Facts.Protocol, _connection.Facts.CipherSuite, _connection.Facts.Group ?? default, _connection.Facts.ApplicationProtocol, _connection.Facts.IsResumed == true);

    public override void Write(ReadOnlySpan<byte> data)
    {
        ReadOnlyMemory<byte> copy = data.ToArray();
        Wait(async () => await _connection.WriteAsync(copy, CancellationToken.None));
    }

    public override ReadOnlySpan<byte> Read()
    {
        int length = 0;
        try
        {
            Wait(async () => length = await _connection.ReadAsync(_buffer, CancellationToken.None));
        }
        finally
        {
            CloseNotifyReceived = _connection.CloseNotifyReceived;
            Ticket = _store.Session;
        }

        return _buffer.AsSpan(0, length);
    }

    public override void UpdateSendKeys() => Wait(() => _connection.UpdateKeysAsync(requestPeerUpdate: false, CancellationToken.None));

    public override void SendAlert(AlertDescription description) => throw new UnimplementedException("A connection of KTls sends no alert on request.");

    public override void Shutdown() => Wait(() => _connection.ShutdownAsync(CancellationToken.None));

    public override void Export(ReadOnlySpan<byte> label, byte[]? context, Span<byte> output) =>
        _connection.ExportKeyingMaterial(Encoding.UTF8.GetString(label), context, output.Length)!.CopyTo(output);

    public override void Dispose() => _connection.Dispose();

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
