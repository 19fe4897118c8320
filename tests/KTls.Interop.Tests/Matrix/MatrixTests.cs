namespace KTls.Interop.Tests.Matrix;

/// <summary>The interoperability matrix: every peer with every suite and handshake, against the table in docs/INTEROP.md.</summary>
public sealed class MatrixTests(MatrixTests.Measured measured) : IClassFixture<MatrixTests.Measured>
{
    public static TheoryData<string, bool> Peers => [.. MatrixTable.Peers.Select(peer => new TheoryDataRow<string, bool>(peer.Name, peer.IsClient))];

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Every_peer_does_what_the_table_says(string name, bool isClient)
    {
        Peer peer = MatrixTable.Peers.Single(peer => (peer.Name, peer.IsClient) == (name, isClient));
        IReadOnlyDictionary<Cell, string?> results = await peer.TryAsync(Cell.All);
        measured.Table.Set(peer, results);

        string[] wrong =
        [
            .. results.Where(result => result.Value is not null && peer.WhyNot(result.Key) is null).Select(result => $"{result.Key}: {result.Value}"),
            .. results.Where(result => result.Value is null && peer.WhyNot(result.Key) is not null).Select(result => $"{result.Key}: works, but {name} {peer.WhyNot(result.Key)}"),
            .. Cell.All.Select(cell => cell.Suite).Distinct().Where(suite => measured.Kept.Field(peer, suite) != measured.Table.Field(peer, suite))
                .Select(suite => $"{suite}: docs/INTEROP.md says '{measured.Kept.Field(peer, suite)}', measured is '{measured.Table.Field(peer, suite)}'"),
        ];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void The_page_is_as_it_was_made() => Assert.Equal(measured.Kept.ToString(), Measured.Page);

    /// <summary>What the tests of this run have measured.</summary>
    public sealed class Measured : IDisposable
    {
        internal static string Page { get; } = File.ReadAllText(MatrixTable.File);

        internal MatrixTable Kept { get; } = MatrixTable.Parse(Page);

        internal MatrixTable Table { get; } = MatrixTable.Parse(Page);

        /// <summary>Prints the table, and leaves the page for docs/INTEROP.md in artifacts.</summary>
        public void Dispose()
        {
            string file = Path.GetFullPath(Path.Combine(MatrixTable.File, "../../artifacts", $"INTEROP-{Environment.OSVersion.Version}.md"));
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, Table.ToString());
            Console.WriteLine(Table);
            Console.WriteLine($"{file} is docs/INTEROP.md as measured.");
        }
    }
}
