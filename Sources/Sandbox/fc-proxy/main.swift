// SPDX-License-Identifier: Apache-2.0
import ProcessProxy

ProcessProxy.main()
