using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using KTls.Bench.Files;

namespace KTls.Bench.Handshakes;

/// <summary>
/// Full handshakes of one and the same client, <c>openssl s_time</c>, with our server, SslStream's and <c>openssl s_server</c>: the
/// server's processor time, with accepting and closing the connection.
/// </summary>
internal sealed partial class SslTimeScenario : IScenario
{
    private static readonly Dictionary<string, Func<string, IFileServer>> Servers = new()
    {
        ["ktls"] = folder => new OwnFileServer(OwnFileServerKind.KTlsSendFile, folder),
        ["ktls-userspace"] = folder => new OwnFileServer(OwnFileServerKind.KTlsUserSpace, folder),
        ["sslstream"] = folder => new OwnFileServer(OwnFileServerKind.SslStream, folder),
        ["openssl"] = ForeignServer.OpenSsl,
    };

    public string Name => "handshake-openssl";

    public string Usage => $"handshake-openssl [--servers {string.Join(',', Servers.Keys)}] [--seconds 3] [--repetitions 7]";

    public Task<Report> RunAsync(CommandLine options)
    {
        string[] names = options.TakeSome("servers", [.. Servers.Keys]);
        int seconds = options.Take("seconds", 3);
        int repetitions = options.Take("repetitions", 7);
        options.ExpectEnd();
        if (names.Contains("ktls"))
        {
            MachineFacts.RequireKernelTls(Name);
        }

        var report = new Report(Name);
        report.Set("repetitions", $"{repetitions} of {seconds} s, after two that do not count");
        string folder = Directory.CreateTempSubdirectory("ktls-bench").FullName;
        var servers = new List<IFileServer>();
        try
        {
            // Everybody would choose a group of his own otherwise.
            string configuration = Path.Combine(folder, "openssl.cnf");
            File.WriteAllText(configuration, "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nGroups = X25519\n");
            servers.AddRange(names.Select(name => Servers[name](folder)));
            for (int i = -2; i < repetitions; i++)
            {
                Progress.Tell(Name, i, repetitions);
                var perHandshake = new Dictionary<IFileServer, double>();
                foreach (IFileServer server in i % 2 == 0 ? servers : Enumerable.Reverse(servers))
                {
                    TimeSpan before = server.Cpu();
                    int count = Connect(server.Port, seconds, configuration);
                    perHandshake[server] = (server.Cpu() - before).TotalMicroseconds / count;
                }

                if (i >= 0)
                {
                    Add(report, perHandshake, servers);
                }
            }
        }
        finally
        {
            servers.ForEach(server => server.Dispose());
            Directory.Delete(folder, recursive: true);
        }

        return Task.FromResult(report);
    }

    private static void Add(Report report, Dictionary<IFileServer, double> perHandshake, List<IFileServer> servers)
    {
        const string Group = "full, TLS_AES_128_GCM_SHA256, X25519, ECDSA P-256";
        foreach (IFileServer server in servers)
        {
            report.Add(Group, $"{server.Name}, server's CPU time per handshake", "µs", perHandshake[server]);
        }

        foreach (IFileServer other in servers.Skip(1))
        {
            report.Add(Group, $"{servers[0].Name} : {other.Name}, handshakes per CPU second", "ratio", perHandshake[other] / perHandshake[servers[0]]);
        }
    }

    private static int Connect(int port, int seconds, string configuration)
    {
        string[] command =
        [
            .. Pinning.PrefixOf(Role.Peer), "openssl", "s_time", "-connect", $"127.0.0.1:{port}", "-new", "-tls1_3",
            "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-time", seconds.ToString(CultureInfo.InvariantCulture),
        ];
        var start = new ProcessStartInfo(command[0], command.AsSpan(1).ToArray()) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["OPENSSL_CONF"] = configuration;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return Connections().Match(output) is { Success: true } match && process.ExitCode == 0
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"openssl s_time fails: {output} {errors.Result}");
    }

    [GeneratedRegex(@"^(\d+) connections in \d+ real seconds", RegexOptions.Multiline)]
    private static partial Regex Connections();
}
