using System.Reflection;
using KTls.Kestrel;
using Microsoft.Extensions.Logging;

namespace KTls.Docs.Tests;

/// <summary>docs/OPERATIONS.md lists what is logged, with the ids and levels that it has.</summary>
public sealed class LogTableTests
{
    /// <summary>The tables of the page, one for each package, in this order.</summary>
    [Fact]
    public void Every_message_has_its_line()
    {
        string[] tables = File.ReadAllText(Repository.PathOf("docs/OPERATIONS.md")).Split("| id | level | |\n")[1..];
        Assert.Equal(Messages(typeof(KTlsStream).Assembly, "KTls.Log"), Lines(tables[0]));
        Assert.Equal(Messages(typeof(IKTlsFeature).Assembly, "KTls.Kestrel.Log"), Lines(tables[1]));
    }

    private static IEnumerable<(string Id, string Level)> Messages(Assembly package, string type) =>
        package.GetType(type, throwOnError: true)!.GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()!).OrderBy(message => message.EventId)
            .Select(message => ($"{message.EventId}", $"{message.Level}"));

    // A line may be about several: "| 6, 7 | Debug |" or "| 20, 21 | Information, Error |".
    private static IEnumerable<(string Id, string Level)> Lines(string table) =>
        table.Split('\n').Skip(1).TakeWhile(line => line.StartsWith('|')).SelectMany(line =>
        {
            string[][] cells = [.. line.Split('|', StringSplitOptions.TrimEntries)[1..3].Select(cell => cell.Split(", "))];
            return cells[0].Select((id, i) => (id, cells[1][cells[1].Length == 1 ? 0 : i]));
        });
}
