namespace Caesar

def isLetter (c : Char) : Bool := decide (97 ≤ c.toNat) && decide (c.toNat < 123)

def shift (k : Nat) (c : Char) : Char :=
  if isLetter c then Char.ofNat (97 + (c.toNat - 97 + k) % 26) else c

def encode (k : Nat) (s : String) : String := String.ofList (s.toList.map (shift k))

def decode (k : Nat) (s : String) : String := encode (26 - k % 26) s

theorem encode_encode (j k : Nat) (s : String) : encode j (encode k s) = encode (k + j) s := sorry

theorem decode_encode (k : Nat) (s : String) : decode k (encode k s) = s := sorry

theorem length_encode (k : Nat) (s : String) : (encode k s).length = s.length := sorry

end Caesar
