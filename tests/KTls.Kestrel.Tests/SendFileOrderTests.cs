using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KTls.Kestrel.Tests;

/// <summary>Answers of writes, flushes and parts of files in any order, on one connection, two requests at a time.</summary>
public sealed class SendFileOrderTests : IDisposable
{
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(300_000);

    private readonly string _file = Path.GetTempFileName();

    public SendFileOrderTests() => File.WriteAllBytes(_file, Content);

    private enum Step
    {
        BodyWrite,
        WriterWrite,
        Advance,
        AdvanceAndOpen,
        File,
        Flush,
        Start,
    }

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_come_in_the_order_of_the_calls(bool isKTls)
    {
        await using Site site = await Site.StartAsync(isKTls, map: application => application.MapGet("/{seed}", (HttpContext http, int seed) => AnswerAsync(http.Response, Plan(seed))));
        using RawClient client = await RawClient.ConnectAsync(site);
        for (int seed = 0; seed < 100; seed += 2)
        {
            await client.SendAsync($"GET /{seed} HTTP/1.1\r\nHost: localhost\r\n\r\nGET /{seed + 1} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            foreach (int one in (int[])[seed, seed + 1])
            {
                byte[] expected = [.. Plan(one).SelectMany(step => step.Bytes)];
                Assert.Contains($"Content-Length: {expected.Length}\r\n", await client.ReadHeadAsync(), StringComparison.Ordinal);
                byte[] body = await client.ReadAsync(expected.Length);
                Assert.True(expected.AsSpan().SequenceEqual(body), $"seed {one}");
            }
        }
    }

    private async Task AnswerAsync(HttpResponse response, List<(Step Step, int Offset, byte[] Bytes)> plan)
    {
        response.ContentLength = plan.Sum(step => step.Bytes.Length);
        foreach ((Step step, int offset, byte[] bytes) in plan)
        {
            switch (step)
            {
                case Step.BodyWrite:
                    await response.Body.WriteAsync(bytes);
                    break;
                case Step.WriterWrite:
                    await response.BodyWriter.WriteAsync(bytes);
                    break;
                case Step.Advance:
                    response.BodyWriter.Write(bytes);
                    break;
                case Step.AdvanceAndOpen:
                    bytes.CopyTo(response.BodyWriter.GetMemory(bytes.Length));
                    response.BodyWriter.Advance(bytes.Length);
                    _ = response.BodyWriter.GetMemory();
                    break;
                case Step.File:
                    await response.SendFileAsync(_file, offset, bytes.Length);
                    break;
                case Step.Flush:
                    await response.BodyWriter.FlushAsync();
                    break;
                default:
                    await response.StartAsync();
                    break;
            }
        }

        await response.BodyWriter.FlushAsync();
    }

    // The same for the same seed.
    private static List<(Step Step, int Offset, byte[] Bytes)> Plan(int seed)
    {
        var random = new Random(seed);
        List<(Step, int, byte[])> plan = [];
        for (int count = random.Next(1, 12); count > 0; count--)
        {
            Step step = random.Next(3) == 0 ? Step.File : (Step)random.Next((int)Step.Start + 1);
            int offset = random.Next(Content.Length);
            int length = step switch
            {
                Step.Flush or Step.Start => 0,
                Step.File => random.Next(4) == 0 ? Content.Length - offset : random.Next(Content.Length - offset),
                _ => random.Next(5) == 0 ? random.Next(100_000) : random.Next(9_000),
            };
            length = Math.Min(length, Content.Length - offset);
            plan.Add((step, offset, Content[offset..(offset + length)]));
        }

        return plan;
    }
}
