namespace KTls.Interop.Tests.Sites;

/// <summary>What KestrelSite's page shows once its script has filled it.</summary>
/// <param name="Sending">Who seals what the site sends.</param>
/// <param name="Receiving">Who opens what it receives.</param>
/// <param name="Http">The version of HTTP.</param>
/// <param name="Tls">The version of TLS.</param>
/// <param name="CipherSuite">The cipher suite.</param>
/// <param name="Group">The group of the key exchange.</param>
/// <param name="Socket">What became of the WebSocket.</param>
/// <param name="ImageWidth">The picture's own width; zero: it was not shown.</param>
/// <param name="Resources">The last part of the address and the protocol of all that was loaded.</param>
internal sealed record ShownPage(
    string Sending, string Receiving, string Http, string Tls, string CipherSuite, string Group, string Socket, int ImageWidth, string[] Resources)
{
    /// <summary>Gives the page, as an object with these properties, when the site's answers have come.</summary>
    public const string Script = """
        new Promise(shown => {
          const text = id => document.getElementById(id).textContent;
          const entries = type => performance.getEntriesByType(type);
          const look = () => text("sending") === "…" || text("socket") === "…" ? setTimeout(look, 20) : shown({
            sending: text("sending"), receiving: text("receiving"), http: text("http"), tls: text("tls"), cipherSuite: text("cipherSuite"), group: text("group"),
            socket: text("socket"), imageWidth: document.getElementById("image").naturalWidth,
            resources: [...new Set([...entries("navigation"), ...entries("resource")].map(entry => `/${entry.name.split("/").pop()} ${entry.nextHopProtocol}`))].sort(),
          });
          look();
        })
        """;
}
