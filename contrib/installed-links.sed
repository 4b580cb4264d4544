# The links of the documentation's pages, as they are once the pages are installed in one folder.
s,](\.\./\.\./docs/,](../,g
s,](\(\.\./\)\?\(contrib\|docs\)/,](,g
s,](\.\./README,](README,g
s,](acme/,](../../attlsd/acme/,g
s,](man/\(attls[a-z.-]*\.\([58]\)\)),](../../man/man\2/\1),g
# pages for those who work on attlsd stay in the repository
s,\[\([^]]*\)\](\(ARCHITECTURE\|BENCHMARKS\|CHANGELOG\|CONTRIBUTING\|LICENSE\|PERFORMANCE\|SECURITY\|STYLE\)[^)]*),\1,g
