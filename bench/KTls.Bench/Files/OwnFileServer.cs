namespace KTls.Bench.Files;

/// <summary>A server of .NET: this program once more.</summary>
internal sealed class OwnFileServer : IFileServer
{
    private readonly OwnFileServerKind _kind;
    private readonly ChildProcess _process;

    public OwnFileServer(OwnFileServerKind kind, string folder)
    {
        _kind = kind;
        _process = new ChildProcess(Role.Measured, OwnFileServerProgram.Command, kind.ToString(), folder);
        Port = int.Parse(_process.Answer());
    }

    public string Name => _kind switch
    {
        OwnFileServerKind.Plain => "plain TCP, sendfile",
        OwnFileServerKind.KTlsSendFile => "KTls, sendfile",
        OwnFileServerKind.KTlsWrite => "KTls, write",
        OwnFileServerKind.KTlsUserSpace => "KTls, user space",
        OwnFileServerKind.KTlsKestrel => "KTls.Kestrel",
        OwnFileServerKind.Kestrel => "stock Kestrel",
        _ => "SslStream",
    };

    public int Port { get; }

    public bool IsTls => _kind != OwnFileServerKind.Plain;

    public TimeSpan Cpu() => ProcessTime.Of(_process.Id);

    public void Dispose() => _process.Dispose();
}
