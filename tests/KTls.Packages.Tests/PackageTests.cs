using System.Buffers.Binary;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace KTls.Packages.Tests;

/// <summary>What is in the packages.</summary>
[Collection(nameof(Feed))]
public sealed class PackageTests(Feed feed)
{
    private const ushort X64 = 62;
    private const ushort Arm64 = 183;

    [Theory]
    [InlineData("KTls.Handshake")]
    [InlineData("KTls")]
    [InlineData("KTls.Kestrel")]
    public void A_package_has_its_documents_and_symbols(string name)
    {
        using ZipArchive package = ZipFile.OpenRead(Path.Combine(feed.Packages, $"{name}.{Feed.Version}.nupkg"));
        using ZipArchive symbols = ZipFile.OpenRead(Path.Combine(feed.Packages, $"{name}.{Feed.Version}.snupkg"));
        Assert.NotNull(package.GetEntry("README.md"));
        Assert.NotNull(package.GetEntry($"lib/net10.0/{name}.xml"));
        using (Stream stream = package.GetEntry($"{name}.nuspec")!.Open())
        {
            XElement metadata = XDocument.Load(stream).Root!.Elements().Single();
            Assert.Equal("MIT", Text("license"));
            Assert.Equal("README.md", Text("readme"));
            Assert.NotEmpty(Text("description"));

            // The commit that it was made from.
            Assert.Matches("^[0-9a-f]{40}$", metadata.Elements().Single(element => element.Name.LocalName == "repository").Attribute("commit")!.Value);
            string Text(string element) => metadata.Elements().Single(e => e.Name.LocalName == element).Value;
        }

        // The symbols are this program's; the program was made to come out the same each time.
        using var program = new PEReader(Open(package, $"lib/net10.0/{name}.dll"));
        using var provider = MetadataReaderProvider.FromPortablePdbStream(Open(symbols, $"lib/net10.0/{name}.pdb"));
        DebugDirectoryEntry[] entries = [.. program.ReadDebugDirectory()];
        Assert.Contains(entries, entry => entry.Type == DebugDirectoryEntryType.Reproducible);
        Guid wanted = program.ReadCodeViewDebugDirectoryData(entries.Single(entry => entry.Type == DebugDirectoryEntryType.CodeView)).Guid;
        Assert.Equal(wanted, new BlobContentId(provider.GetMetadataReader().DebugMetadataHeader!.Id).Guid);
    }

    [Theory]
    [InlineData("linux-arm64", Arm64)]
    [InlineData("linux-musl-x64", X64)]
    [InlineData("linux-musl-arm64", Arm64)]
    public void Other_machines_need_nothing_but_their_name(string runtime, int machine)
    {
        string project = feed.CopyConsumer(runtime);
        string output = Path.Combine(project, "out");
        string log = Command.Run(project, "dotnet", ["publish", "-c", "Release", "-o", output, "-r", runtime, "--no-self-contained", "-p:UseAppHost=false", $"-p:KTlsVersion={Feed.Version}"]);
        Assert.DoesNotContain("warning", log, StringComparison.OrdinalIgnoreCase);
        Assert.True(File.Exists(Path.Combine(output, "KTls.Kestrel.dll")));

        // The one part that is not .NET's: e_machine of its ELF header.
        byte[] sodium = File.ReadAllBytes(Path.Combine(output, "libsodium.so"));
        Assert.Equal(machine, BinaryPrimitives.ReadUInt16LittleEndian(sodium.AsSpan(18)));
    }

    // A part of a ZIP cannot be read here and there.
    private static MemoryStream Open(ZipArchive archive, string path)
    {
        var copy = new MemoryStream();
        using Stream stream = archive.GetEntry(path)!.Open();
        stream.CopyTo(copy);
        copy.Position = 0;
        return copy;
    }
}
