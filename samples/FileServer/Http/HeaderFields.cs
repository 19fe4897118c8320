namespace FileServer.Http;

/// <summary>The header fields of a request, in their order (RFC 9110 §5).</summary>
internal sealed class HeaderFields
{
    private readonly List<(string Name, string Value)> _fields = [];

    public int Count => _fields.Count;

    public void Add(string name, string value) => _fields.Add((name, value));

    public bool Contains(string name) => Values(name).Any();

    /// <summary>The values of all fields of that name as one list, which is what several fields mean (RFC 9110 §5.3); null without one.</summary>
    public string? List(string name)
    {
        string[] values = [.. Values(name)];
        return values.Length == 0 ? null : string.Join(", ", values);
    }

    /// <summary>The value of a field that must not come twice; null without one.</summary>
    /// <exception cref="RefusedRequestException">It comes twice, so somebody in between may have taken the other one.</exception>
    public string? Single(string name)
    {
        string[] values = [.. Values(name)];
        return values.Length <= 1 ? values.FirstOrDefault() : throw new RefusedRequestException(400, $"More than one {name} field.");
    }

    private IEnumerable<string> Values(string name) =>
        _fields.Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value);
}
