namespace PrefixSums

def go (acc : Int) : List Int → List Int
  | [] => []
  | x :: xs => (acc + x) :: go (acc + x) xs

def prefixSums (xs : List Int) : List Int := go 0 xs

def total : List Int → Int
  | [] => 0
  | x :: xs => x + total xs

theorem length_prefixSums (xs : List Int) : (prefixSums xs).length = xs.length := sorry

theorem prefixSums_get (xs : List Int) (i : Nat) (h : i < xs.length) :
    (prefixSums xs)[i]? = some (total (xs.take (i + 1))) := sorry

theorem range_query (xs : List Int) (i j : Nat) (a b : Int) (hij : i ≤ j)
    (ha : (prefixSums xs)[i]? = some a) (hb : (prefixSums xs)[j]? = some b) :
    b - a = total ((xs.take (j + 1)).drop (i + 1)) := sorry

end PrefixSums
