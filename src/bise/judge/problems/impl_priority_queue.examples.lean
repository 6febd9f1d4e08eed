open PriorityQueue

def fill (xs : List Nat) : Heap := xs.foldl (fun h x => insert x h) .empty

def drain : Nat → Heap → List Nat
  | 0, _ => []
  | n + 1, h =>
    match popMin h with
    | some (x, rest) => x :: drain n rest
    | none => []

#guard (popMin .empty).isNone
#guard toList (insert 3 .empty) = [3]
#guard toList (meld .empty .empty) = []
#guard toList (meld .empty (.node .empty 2 .empty)) = [2]
#guard drain 5 (fill [3, 1, 2]) = [1, 2, 3]
#guard drain 5 (fill [2, 0, 2]) = [0, 2, 2]
#guard drain 5 (meld (fill [4, 1]) (fill [3, 1])) = [1, 1, 3, 4]
