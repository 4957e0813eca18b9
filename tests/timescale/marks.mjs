// A moment of the backend's life to which it can be brought back: its memory and its files, in place.
//
// Much faster than another backend from a snapshot. What cannot be brought back are libraries that were loaded since:
// their code stays, and their data would be gone.

let libraries = 0
WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(...parts) {
    super(...parts)
    libraries += 1
  }
}

export class Mark {
  #module
  #libraries = libraries
  #memory
  #files

  /** The present moment of an Emscripten `module` of which nothing is running. */
  constructor(module) {
    this.#module = module
    this.#memory = module.HEAPU8.slice()
    this.#files = new Files(module.FS)
  }

  /** Bring the module back; false if it cannot be. */
  restore() {
    if (libraries !== this.#libraries) return false
    this.#module.HEAPU8.set(this.#memory)
    this.#module.HEAPU8.fill(0, this.#memory.length) // it may have grown
    this.#files.restore()
    return true
  }
}

// The files of MEMFS: every node, found by way of the table of names, and every open stream.
class Files {
  #fs
  #table
  #nodes
  #streams

  constructor(fs) {
    this.#fs = fs
    this.#table = [...fs.nameTable]
    const nodes = new Set(fs.streams.flatMap((stream) => stream?.node ?? [])) // some have no name any more
    for (let node of fs.nameTable) for (; node; node = node.name_next) nodes.add(node)
    this.#nodes = [...nodes].map((node) => ({ node, own: { ...node }, contents: copied(node.contents) }))
    this.#streams = fs.streams.map((stream) => stream && { stream, own: { ...stream }, shared: { ...stream.shared } })
  }

  restore() {
    this.#table.forEach((node, slot) => (this.#fs.nameTable[slot] = node))
    for (const { node, own, contents } of this.#nodes) {
      const inPlace = own.contents?.buffer && own.contents.length === contents.length
      if (inPlace) own.contents.set(contents)
      Object.assign(node, own, inPlace ? {} : { contents: copied(contents) })
    }
    this.#fs.streams.length = this.#streams.length
    this.#streams.forEach((kept, fd) => {
      this.#fs.streams[fd] = kept && Object.assign(kept.stream, kept.own)
      if (kept) Object.assign(kept.stream.shared, kept.shared)
    })
  }
}

/** The bytes of a file, or the entries of a folder; devices have neither. */
function copied(contents) {
  if (!contents) return contents
  return contents.slice ? contents.slice() : { ...contents }
}
