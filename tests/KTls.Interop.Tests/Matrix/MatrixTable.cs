using System.Net.Security;
using System.Text;
using KTls.Handshake;

namespace KTls.Interop.Tests.Matrix;

/// <summary>The table of the matrix, as it stands in docs/INTEROP.md.</summary>
internal sealed class MatrixTable
{
    /// <summary>Every peer, in the order of the columns.</summary>
    public static IReadOnlyList<Peer> Peers { get; } =
    [
        new OpenSslClient(), new GnuTlsClient(), new CurlClient(), new NginxClient(), new SslStreamClient(), new ChromiumClient(),
        new OpenSslServer(), new GnuTlsServer(), new NginxServer(), new SslStreamServer(),
    ];

    private const string Head = """
        # Interoperability

        Made by `MatrixTests` of `tests/KTls.Interop.Tests`, which fail where this page is not what they measure. They then leave
        the page as it should be in `artifacts/`; do not edit it by hand.

        A letter stands for a handshake that was agreed on and a transfer both ways of a few KiB, in which the kernel sealed and
        opened our records. Both ends were asked: what suite, whether a session was resumed, whether the client's certificate
        was verified, and whether all bytes arrived.

        - **F**: a full handshake
        - **R**: a session that was resumed by a ticket
        - **M**: a full handshake in which the client shows a certificate, too
        - **–**: the peer cannot do it, see below; tried as well, and it fails
        - **x**: it should work, and fails

        The programs are those of Debian stable, except SslStream, which is that of the .NET that runs the tests. SslStream is tried
        with this machine's OpenSSL. nginx is a client as a reverse proxy (`proxy_pass https://…`), Chromium is headless.


        """;

    private readonly Dictionary<(bool IsClient, string Peer, TlsCipherSuite Suite), string> _fields = [];

    /// <summary>The page in the repository.</summary>
    public static string File => Path.Combine(Repository(), "docs", "INTEROP.md");

    public static MatrixTable Parse(string markdown)
    {
        var table = new MatrixTable();
        bool isClient = false;
        string[] peers = [];
        foreach (string line in markdown.Split('\n'))
        {
            string[] columns = [.. line.Trim('|', ' ').Split('|').Select(column => column.Trim(' ', '`'))];
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                isClient = line == Title(isClient: true);
            }
            else if (columns[0] == "suite")
            {
                peers = columns;
            }
            else if (Enum.TryParse(columns[0], out TlsCipherSuite suite) && columns.Length == peers.Length)
            {
                for (int i = 1; i < columns.Length; i++)
                {
                    table._fields[(isClient, peers[i], suite)] = columns[i];
                }
            }
        }

        return table;
    }

    public string Field(Peer peer, TlsCipherSuite suite) => _fields.GetValueOrDefault((peer.IsClient, peer.Name, suite), string.Empty);

    /// <summary>Puts a peer's results into its column.</summary>
    public void Set(Peer peer, IReadOnlyDictionary<Cell, string?> failures)
    {
        foreach (IGrouping<TlsCipherSuite, Cell> suite in Cell.All.GroupBy(cell => cell.Suite))
        {
            _fields[(peer.IsClient, peer.Name, suite.Key)] = string.Join(' ', suite.Select(cell => (peer.WhyNot(cell), failures[cell]) switch
            {
                (null, null) => cell.Kind.ToString()[..1],
                (not null, not null) => "–",
                _ => "x",
            }));
        }
    }

    /// <summary>The page.</summary>
    public override string ToString() => new StringBuilder(Head).Append(Part(isClient: true)).Append('\n').Append(Part(isClient: false)).ToString();

    private static string Title(bool isClient) => isClient ? "## Our server and its clients" : "## Our client and its servers";

    private static string Repository()
    {
        string folder = AppContext.BaseDirectory;
        while (!System.IO.File.Exists(Path.Combine(folder, "KTls.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not in the repository.");
        }

        return folder;
    }

    private string Part(bool isClient)
    {
        Peer[] peers = [.. Peers.Where(peer => peer.IsClient == isClient)];
        var text = new StringBuilder($"{Title(isClient)}\n\n");
        Row(["suite", .. peers.Select(peer => peer.Name)]);
        Row(Enumerable.Repeat("---", peers.Length + 1));
        foreach (TlsCipherSuite suite in SupportedParameters.CipherSuites)
        {
            Row([$"`{suite}`", .. peers.Select(peer => Field(peer, suite))]);
        }

        foreach (string reason in peers.SelectMany(peer => Cell.All.Select(peer.WhyNot).OfType<string>().Distinct().Select(why => $"{peer.Name} {why}.")))
        {
            text.Append(text.ToString().Contains("\n- ", StringComparison.Ordinal) ? "- " : "\n- ").Append(reason).Append('\n');
        }

        return text.ToString();

        void Row(IEnumerable<string> columns) => text.Append("| ").AppendJoin(" | ", columns).Append(" |\n");
    }
}
